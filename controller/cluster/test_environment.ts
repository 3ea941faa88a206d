/** Runs with these environment variables; `undefined` takes one away. */
export async function withEnvironment<T>(
  variables: Readonly<Record<string, string | undefined>>,
  run: () => Promise<T>,
): Promise<T> {
  const before = Object.keys(variables).map((name) => [name, Deno.env.get(name)] as const);
  try {
    Object.entries(variables).forEach(([name, value]) => set(name, value));
    return await run();
  } finally {
    before.forEach(([name, value]) => set(name, value));
  }
}

function set(name: string, value: string | undefined): void {
  if (value === undefined) Deno.env.delete(name);
  else Deno.env.set(name, value);
}
