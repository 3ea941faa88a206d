import { ChildProcess } from "../rig/child_process.ts";
import type { LoadPlan, LoadResult } from "./load_plan.ts";
import { cpuSeconds, peakRssMiB } from "./process_usage.ts";
import { denoCommand } from "./servers.ts";

/** One line of the table: a server process of its own, and the load it gets. */
export interface Measure {
  readonly name: string;
  readonly pid: number;
  readonly load: Pick<LoadPlan, "port" | "path" | "expectedStatus" | "paymentFor">;
  /** Instead of the effort's. */
  readonly connections?: number;
}

/** How long and how often everything is measured. */
export interface Effort {
  readonly rounds: number;
  /** Per measure and round. */
  readonly seconds: number;
  readonly connections: number;
}

/** The middle of all rounds, and how far they were apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface MeasureResult {
  readonly name: string;
  readonly requestsPerSecond: Spread;
  /** CPU seconds of the server process per 1,000 requests. */
  readonly cpuPer1k: Spread;
  /** Cores that the load generator used: at 1 it was the limit, not the server. */
  readonly generatorCores: Spread;
  /** Latencies in ms. */
  readonly p50: Spread;
  readonly p99: Spread;
  /** Highest resident set of the server process since its start, in MiB. */
  readonly peakRssMiB: number;
}

type Round = Record<
  "requestsPerSecond" | "cpuPer1k" | "generatorCores" | "p50" | "p99",
  number
>;

/** Requests that one load makes at most; those with payments are prepared one by one. */
const maxRequests = 1_000_000;
const maxPayments = 15_000;

/**
 * Loads the servers one after the other, in rounds whose order alternates, so that what drifts (heat,
 * a neighbour's load) does not always hit the same one. A first round only warms up.
 * @throws {Error} when any reply is not the expected one
 */
export async function measureAll<Name extends string>(
  measures: Readonly<Record<Name, Measure>>,
  effort: Effort,
): Promise<Record<Name, MeasureResult>> {
  const entries = Object.entries<Measure>(measures)
    .map(([key, measure]) => ({ key, measure, rounds: [] as Round[] }));
  for (const { measure } of entries) await measureRound(measure, effort);
  for (let round = 0; round < effort.rounds; round++) {
    const order = round % 2 === 0 ? entries : entries.toReversed();
    for (const { measure, rounds } of order) rounds.push(await measureRound(measure, effort));
  }
  const results = await Promise.all(
    entries.map(async ({ key, measure, rounds }) => [key, await summarize(measure, rounds)]),
  );
  return Object.fromEntries(results);
}

async function measureRound(
  { name, pid, load, connections = 0 }: Measure,
  effort: Effort,
): Promise<Round> {
  const plan: LoadPlan = {
    ...load,
    connections: connections || effort.connections,
    seconds: effort.seconds,
    maxRequests: load.paymentFor === undefined ? maxRequests : maxPayments,
  };
  const before = await cpuSeconds(pid);
  const result = await runGenerator(name, plan);
  return {
    requestsPerSecond: result.requests / result.seconds,
    cpuPer1k: (await cpuSeconds(pid) - before) / result.requests * 1000,
    generatorCores: result.generatorCpuSeconds / result.seconds,
    p50: result.p50,
    p99: result.p99,
  };
}

async function runGenerator(name: string, plan: LoadPlan): Promise<LoadResult> {
  const command = denoCommand("load_generator.ts", JSON.stringify(plan));
  await using generator = new ChildProcess(`load on "${name}"`, command);
  const timeout = plan.seconds * 1000 + 30_000;
  return await generator.find(
    (line) => line.startsWith("{") ? JSON.parse(line) : undefined,
    timeout,
  );
}

async function summarize({ name, pid }: Measure, rounds: readonly Round[]): Promise<MeasureResult> {
  const spread = (key: keyof Round) => spreadOf(rounds.map((round) => round[key]));
  return {
    name,
    requestsPerSecond: spread("requestsPerSecond"),
    cpuPer1k: spread("cpuPer1k"),
    generatorCores: spread("generatorCores"),
    p50: spread("p50"),
    p99: spread("p99"),
    peakRssMiB: await peakRssMiB(pid),
  };
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: sorted[sorted.length >> 1]!, min: sorted[0]!, max: sorted.at(-1)! };
}
