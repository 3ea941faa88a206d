/** Loaded before the program: on SIGUSR2 it says which permissions are left, as a line of the log. */
const names = ["net", "read", "env", "run", "write", "ffi", "sys"] as const;

Deno.addSignalListener("SIGUSR2", () => {
  const states = names.map((name) => [name, Deno.permissions.querySync({ name }).state]);
  const line = JSON.stringify({ level: "info", msg: "permissions", ...Object.fromEntries(states) });
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
});
