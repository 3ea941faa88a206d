/**
 * Whether `fetch` sends a request to this URL, whose host is a name, through a proxy of the
 * environment, as Deno 2.9.6 decides it. `env` gives the value of a variable.
 */
export function usesEnvironmentProxy(
  { protocol, hostname }: URL,
  env: (name: string) => string | undefined = Deno.env.get,
): boolean {
  const scheme = protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const names = [scheme, "ALL_PROXY"];
  if (!names.some((name) => env(name) || env(name.toLowerCase()))) return false;
  const direct = ["NO_PROXY", "no_proxy"].flatMap((name) => (env(name) ?? "").split(","));
  return !direct.map((text) => text.trim()).some((domain) =>
    domain === "*" || hostname === domain ||
    (domain !== "" && hostname.endsWith(domain.replace(/^\.?/, ".")))
  );
}
