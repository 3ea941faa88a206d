/** The middle of all rounds, and how far they were apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** What can be measured of a server. */
export type Quantity =
  | "requestsPerSecond"
  /** CPU seconds of the server with all its processes, per 1,000 requests. */
  | "cpuPer1k"
  /** Ms to the end of a reply; of a stream, to the first byte of its body. */
  | "p50"
  | "p99"
  /** Resident set after the load, and its peak while it lasted. */
  | "rssMiB"
  | "peakRssMiB"
  /** How far the resident set rose above what it was before. */
  | "addedRssMiB"
  /** Cores that the load generator used: at 1 it was the limit, not the server. */
  | "generatorCores"
  | "seconds"
  /** Ms of the ledger's writes, and their CPU. */
  | "reserveP50"
  | "writesP50"
  | "writesCpu";

export type Round = Readonly<Partial<Record<Quantity, number>>>;

export interface MeasureResult {
  readonly name: string;
  readonly values: Readonly<Partial<Record<Quantity, Spread>>>;
  /** Name of the measure of nginx that this one's CPU is divided by. */
  readonly reference?: string | undefined;
}

/** Sums up rounds that all have the quantities of the first one. */
export function summarize(
  name: string,
  rounds: readonly [Round, ...Round[]],
  reference?: string,
): MeasureResult {
  const quantities = Object.keys(rounds[0]) as Quantity[];
  const values = quantities.map((quantity) =>
    [quantity, spreadOf(rounds.map((round) => round[quantity]!))] as const
  );
  return { name, values: Object.fromEntries(values), reference };
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: sorted[sorted.length >> 1]!, min: sorted[0]!, max: sorted.at(-1)! };
}
