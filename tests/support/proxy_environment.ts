const variables = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"]
  .flatMap((name) => [name, name.toLowerCase()]);

/** Runs with these variables of proxies in the environment and no others, until `run` is done. */
export async function withProxyEnvironment(
  env: Readonly<Record<string, string>>,
  run: () => Promise<void>,
): Promise<void> {
  const before = variables.map((name) => [name, Deno.env.get(name)] as const);
  for (const name of variables) Deno.env.delete(name);
  for (const [name, value] of Object.entries(env)) Deno.env.set(name, value);
  try {
    await run();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
}
