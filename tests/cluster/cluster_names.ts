/** Names of Services, for programs that run as pods: what the DNS of a cluster does. */

/** Replaces /etc/hosts for the program that it becomes, and for nothing else on the machine. */
const unshare = ["unshare", "--map-root-user", "--mount", "sh", "-c"];

/**
 * The command, run where the names in `hostsFile` (hosts(5), it may change later) are known.
 * Signals reach the command itself: all before it are replaced by it.
 */
export function withNames(hostsFile: string, command: readonly string[]): readonly string[] {
  return [...unshare, 'mount --bind "$0" /etc/hosts && exec "$@"', hostsFile, ...command];
}

/** Why `withNames` does not work here; undefined where it does. */
export async function missingNames(): Promise<string | undefined> {
  const [program = "", ...args] = withNames("/etc/hosts", ["true"]);
  try {
    if ((await new Deno.Command(program, { args, stderr: "null" }).output()).success) return;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return "This user may not run `unshare --map-root-user --mount` (util-linux).";
}
