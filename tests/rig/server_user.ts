/** PostgreSQL and pgbouncer refuse to run as root: there they run as nobody. */
import { dirname, join, relative } from "node:path";
import { cacheRoot } from "../cluster/cache_root.ts";

const nobody = 65_534;

const isRoot = Deno.uid() === 0;

/** The command that runs `command` as a user that these servers accept. */
export function asServerUser(command: readonly string[]): readonly string[] {
  if (!isRoot) return command;
  return ["setpriv", `--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups", ...command];
}

/** A new folder that this user may write to. */
export async function makeServerFolder(prefix: string): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix });
  if (isRoot) await Deno.chown(folder, nobody, nobody);
  return folder;
}

/**
 * Where this user can run `program`: our cache is in the home of root, which nobody else can look
 * into, so a program from there is copied into `target`, with all that was unpacked with it.
 */
export async function runnable(program: string, target: string): Promise<string> {
  if (!isRoot || !program.startsWith(cacheRoot())) return program;
  const unpacked = join(dirname(program), "..");
  const copy = join(target, "programs");
  const command = new Deno.Command("cp", { args: ["-R", unpacked, copy] });
  const { success, stderr } = await command.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  await Deno.chmod(copy, 0o755);
  return join(copy, relative(unpacked, program));
}
