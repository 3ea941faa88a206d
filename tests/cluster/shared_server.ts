/** One API server for all test files of a `deno test` run. */
import { fileURLToPath } from "node:url";
import { keptForRun } from "../rig/keeper.ts";
import type { ClusterAccess } from "./api_server.ts";

const keeper = fileURLToPath(new URL("keep_cluster.ts", import.meta.url));

/** The run's API server with the CRD on it; the first call starts it, which takes about 6 s. */
export async function sharedServer(): Promise<ClusterAccess> {
  return JSON.parse(await keptForRun("X402_TEST_CLUSTER", keeper));
}
