import type { BenchServer } from "./bench_server.ts";
import type { BenchServers } from "./bench_servers.ts";
import type { LoadClient } from "./load_client.ts";
import type { LoadMeasure } from "./load_measures.ts";
import type { LoadPlan } from "./load_plan.ts";
import { hostOf } from "./manifests.ts";
import { type MeasureResult, type Round, summarize } from "./measure_result.ts";
import { resetPeakRss, treeOf, treePeakRssMiB, treeRssMiB } from "./process_tree.ts";
import { rawReply } from "./raw_reply.ts";

/** How long and how often everything is measured. */
export interface Effort {
  readonly rounds: number;
  /** Per measure and round. */
  readonly seconds: number;
}

/** Requests in a second at most; those with payments are prepared one by one. */
const maxUnpaid = 1_000_000, maxPayments = 12_000;

/** Requests of a warm-up: so many that code is compiled, and that each of many hosts was asked. */
const warmUp = 10_000;

/** A measure whose server runs. */
interface Target {
  readonly measure: LoadMeasure;
  readonly server: BenchServer;
  readonly paymentFor: LoadPlan["paymentFor"];
}

/**
 * Loads the servers one after the other, in rounds whose order alternates, so that what drifts (heat,
 * a neighbour's load) does not always hit the same one. What is not installed is left out.
 * @throws {Error} when any reply is not the expected one
 */
export async function measureLoads(
  measures: readonly LoadMeasure[],
  servers: BenchServers,
  client: LoadClient,
  { rounds, seconds }: Effort,
): Promise<MeasureResult[]> {
  const targets: Target[] = [];
  for (const measure of measures) {
    const server = await measure.server(servers);
    if (server === undefined) continue;
    const paymentFor = measure.pays ? await offerOf(server, measure.path) : undefined;
    targets.push({ measure, server, paymentFor });
  }
  const results = targets.map((target) => ({ target, rounds: [] as Round[] }));
  for (const target of targets.filter(isFirst)) {
    const { hosts } = target.measure;
    await measureRound(target, client, hosts === 1 ? 3 : 10, warmUp);
  }
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? results : results.toReversed();
    for (const { target, rounds } of order) {
      rounds.push(await measureRound(target, client, seconds));
    }
  }
  return results.map(({ target: { measure: { name, reference } }, rounds: [first, ...others] }) =>
    summarize(name, [first!, ...others], reference)
  );
}

/** Whether nothing before it asks the same of the same server. */
function isFirst(target: Target, index: number, targets: readonly Target[]): boolean {
  return index ===
    targets.findIndex(({ server, measure }) =>
      server === target.server && measure.path === target.measure.path &&
      measure.hosts === target.measure.hosts && measure.pays === target.measure.pays
    );
}

async function measureRound(
  { measure, server, paymentFor }: Target,
  client: LoadClient,
  seconds: number,
  maxRequests = Math.ceil(seconds * (measure.pays ? maxPayments : maxUnpaid)),
): Promise<Round> {
  const { name, path, hosts, connections, status, bytes } = measure;
  const pids = await treeOf(server.pid);
  await resetPeakRss(pids);
  try {
    const { requests, ...result } = await client.run({
      ...{ port: server.port, path, hosts, connections, seconds, paymentFor, pids },
      maxRequests,
      expectedStatus: status,
      expectedBytes: bytes,
    });
    return {
      requestsPerSecond: requests / result.seconds,
      cpuPer1k: result.serverCpuSeconds / requests * 1000,
      p50: result.p50,
      p99: result.p99,
      rssMiB: await treeRssMiB(pids),
      peakRssMiB: await treePeakRssMiB(pids),
      generatorCores: result.generatorCpuSeconds / result.seconds,
    };
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`);
  }
}

/** What the server asks for, from its own challenge. */
async function offerOf({ port }: BenchServer, path: string): Promise<Record<string, unknown>> {
  const { status, headers } = await rawReply(port, hostOf(0), path);
  const challenge = headers.find(([name]) => name.toLowerCase() === "payment-required")?.[1];
  if (challenge === undefined) throw new Error(`${path} gets ${status} without an offer.`);
  return JSON.parse(atob(challenge)).accepts[0];
}
