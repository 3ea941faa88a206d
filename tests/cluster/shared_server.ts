/** One API server for all test files of a `deno test` run. */
import { fileURLToPath } from "node:url";
import type { ClusterAccess } from "./api_server.ts";
import { firstLineOf } from "./lines_of.ts";

/**
 * Holds the JSON of a ClusterAccess. Deno runs every test file in a thread of its own, and all of
 * them see one environment: what the first file sets, the next one finds.
 */
const variable = "X402_TEST_CLUSTER";

const keeper = fileURLToPath(new URL("keep_cluster.ts", import.meta.url));

/** The run's API server with the CRD on it; the first call starts it, which takes about 6 s. */
export async function sharedServer(): Promise<ClusterAccess> {
  const known = Deno.env.get(variable);
  if (known !== undefined) return JSON.parse(known);
  const access = await startKeeper();
  Deno.env.set(variable, access);
  return JSON.parse(access);
}

/** The keeper is no child of this process: a child would count as a leak of the test. */
async function startKeeper(): Promise<string> {
  const command = [Deno.execPath(), "run", "-A", keeper, String(Deno.pid)];
  const shell = new Deno.Command("sh", {
    args: ["-c", '"$@" &', "sh", ...command],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const access = await firstLineOf(shell.stdout);
  await shell.status;
  if (access === undefined) throw new Error("The tests' API server did not start; see above.");
  return access;
}
