import type { BenchServers } from "./bench_servers.ts";
import { spawnGateway } from "./gateway_server.ts";
import { type MeasureResult, type Round, summarize } from "./measure_result.ts";
import { treeOf, treeRssMiB } from "./process_tree.ts";

export const startOfOne = "gateway: start";

/** With the flags that are the default, where the gateway would use several cores. */
export const startOfAllCores = "gateway: start on all cores";

/** Ms between readiness and the look at the memory. */
const rest = 1_000;

/** From the start of the process to `/readyz`, and its memory when nothing is asked of it. */
export async function measureStart(
  name: string,
  flags: readonly string[],
  rounds: number,
  servers: BenchServers,
): Promise<MeasureResult> {
  const ports = await servers.ports();
  const results: Round[] = [];
  // The first start fills the runtime's cache of compiled code.
  for (let round = -1; round < rounds; round++) {
    await using gateway = await spawnGateway({ ports, flags });
    await gateway.untilReady();
    const seconds = (performance.now() - gateway.spawnedAt) / 1000;
    if (round < 0) continue;
    await new Promise((resolve) => setTimeout(resolve, rest));
    results.push({ seconds, rssMiB: await treeRssMiB(await treeOf(gateway.pid)) });
  }
  const [first, ...others] = results;
  return summarize(name, [first!, ...others]);
}
