import type { CanonicalTarget } from "./canonical_request.ts";

/**
 * The absolute URL under which the public knows what is being bought. The scheme is https where the
 * Ingress serves the host over TLS, else what a trusted proxy says, else http.
 *
 * @param forwarded `X-Forwarded-Proto` and `-Host`, only of a trusted proxy
 */
export function publicUrl(
  target: CanonicalTarget,
  tlsHosts: readonly string[],
  forwarded: { readonly proto?: string | null; readonly host?: string | null },
): string {
  const tls = servesTls(tlsHosts, target.host);
  const scheme = tls || forwarded.proto === "https" ? "https" : "http";
  return `${scheme}://${forwarded.host || target.authority}${target.path}${target.query}`;
}

/** `*.example.com` stands for one label; `*` alone is a TLS entry without hosts: every host. */
export function servesTls(tlsHosts: readonly string[], host: string): boolean {
  return tlsHosts.some((pattern) => {
    if (!pattern.startsWith("*")) return pattern === host;
    return pattern === "*" || host.slice(host.indexOf(".")) === pattern.slice(1);
  });
}
