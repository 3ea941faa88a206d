/** The sets of permissions that deno.json names, as flags, whole or with one of them missing. */

/** `true`: all of them. Paths are for whoever starts the program to say. */
export interface Permissions {
  readonly net?: true;
  readonly env?: true | readonly string[];
  readonly run?: true | readonly string[];
  readonly sys?: readonly string[];
  readonly read?: true | readonly string[];
  readonly write?: true | readonly string[];
}

type Kind = keyof Permissions;

/** What `deno task compile` and `-P` take, without the paths. */
export async function permissionSet(name: "server" | "cli"): Promise<Permissions> {
  const config = await Deno.readTextFile(new URL("../../deno.json", import.meta.url));
  return JSON.parse(config).permissions[name];
}

/** Flags of `deno run`. */
export function permissionFlags(permissions: Permissions): string[] {
  const flags = Object.entries(permissions).map(([kind, allowed]) =>
    allowed === true ? `--allow-${kind}` : `--allow-${kind}=${allowed.join(",")}`
  );
  return ["--no-prompt", ...flags];
}

/** The permissions without one of them, for each of them, by its name. */
export function withoutEach(permissions: Permissions): Map<string, Permissions> {
  const all = new Map<string, Permissions>();
  for (const kind of Object.keys(permissions) as Kind[]) {
    const { [kind]: allowed, ...others } = permissions;
    const values = allowed === true ? undefined : allowed;
    if (values === undefined || values.length === 1) {
      all.set(values === undefined ? kind : `${kind} ${values[0]}`, others);
      continue;
    }
    for (const value of values) {
      const rest = values.filter((other) => other !== value);
      all.set(`${kind} ${value}`, { ...others, [kind]: rest });
    }
  }
  return all;
}
