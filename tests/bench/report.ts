import type { MeasureResult, Spread } from "./measure.ts";

/** A comparison of two measures' medians, and whether it meets what the project asks for. */
export interface Comparison {
  readonly claim: string;
  readonly ratio: number;
  /** Undefined where nothing is asked for. */
  readonly met?: boolean;
}

/** The lines that are compared. */
export interface Compared {
  readonly bareServe: MeasureResult;
  readonly challenge: MeasureResult;
  readonly tunedProxy: MeasureResult;
  readonly freeProxying: MeasureResult;
}

/** The two bars of the project, and the other half of each: requests/s without CPU tell little. */
export function compare({ bareServe, challenge, tunedProxy, freeProxying }: Compared) {
  const speed = challenge.requestsPerSecond.median / bareServe.requestsPerSecond.median;
  const cost = freeProxying.cpuPer1k.median / tunedProxy.cpuPer1k.median;
  const comparisons: Comparison[] = [
    {
      claim: "402: at least 0.60 x requests/s of bare Deno.serve",
      ratio: speed,
      met: speed >= 0.6,
    },
    { claim: "402: CPU / bare Deno.serve", ratio: quotient(challenge, bareServe, "cpuPer1k") },
    { claim: "free: at most 1.15 x CPU of the tuned fetch proxy", ratio: cost, met: cost <= 1.15 },
    {
      claim: "free: requests/s / tuned fetch proxy",
      ratio: quotient(freeProxying, tunedProxy, "requestsPerSecond"),
    },
  ];
  return comparisons;
}

function quotient(
  a: MeasureResult,
  b: MeasureResult,
  key: "cpuPer1k" | "requestsPerSecond",
): number {
  return a[key].median / b[key].median;
}

const columns = ["", "requests/s", "CPU-s/1k", "p50 ms", "p99 ms", "peak MiB", "generator"];

/** Medians with [min max] as a table, then the comparisons. */
export function renderReport(
  results: readonly MeasureResult[],
  comparisons: readonly Comparison[],
): string {
  const rows = results.map((result) => [
    result.name,
    cell(result.requestsPerSecond, 0),
    cell(result.cpuPer1k, 4),
    cell(result.p50, 2),
    cell(result.p99, 2),
    result.peakRssMiB.toFixed(0),
    result.generatorCores.median.toFixed(2),
  ]);
  const widths = columns.map((title, i) =>
    Math.max(title.length, ...rows.map((r) => r[i]!.length))
  );
  const table = [columns, ...rows].map((row) =>
    row.map((text, i) => i === 0 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!)).join("  ")
  );
  return [
    ...table,
    "",
    "Median [min max] of the rounds. CPU and memory are the server process's own; generator is the",
    "cores that the load generator used: near 1 it was the limit, and CPU-s/1k is what counts.",
    "",
    ...comparisons.map(renderComparison),
  ].join("\n");
}

function cell({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} [${min.toFixed(digits)} ${max.toFixed(digits)}]`;
}

function renderComparison({ claim, ratio, met }: Comparison): string {
  const verdict = met === undefined ? "" : met ? "  met" : "  NOT met";
  return `${claim}: ${ratio.toFixed(2)}${verdict}`;
}
