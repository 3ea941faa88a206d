import type { Bar } from "./bars.ts";
import type { MeasureResult, Quantity, Spread } from "./measure_result.ts";

/** CPU per request over that of nginx for the same; undefined without nginx. */
export function ratioToNginx(
  { values, reference }: MeasureResult,
  results: readonly MeasureResult[],
): number | undefined {
  const nginx = results.find(({ name }) => name === reference)?.values.cpuPer1k;
  return nginx === undefined || values.cpuPer1k === undefined
    ? undefined
    : values.cpuPer1k.median / nginx.median;
}

/** One object: medians by name, and what lies around them. */
export function measureLine(result: MeasureResult, results: readonly MeasureResult[]): string {
  const entries = Object.entries(result.values);
  const medians = entries.map(([quantity, { median }]) => [quantity, rounded(median)]);
  const spread = entries.map(([quantity, { min, max }]) => [quantity, [min, max].map(rounded)]);
  const ratio = ratioToNginx(result, results);
  return JSON.stringify({
    name: result.name,
    ...Object.fromEntries(medians),
    ratioToNginx: ratio === undefined ? undefined : rounded(ratio),
    spread: Object.fromEntries(spread),
  });
}

/** One object. */
export function barLine(bar: Bar): string {
  return JSON.stringify({ ...bar, figure: rounded(bar.figure) });
}

/** To five digits. */
function rounded(value: number): number {
  return Number(value.toPrecision(5));
}

const columns: readonly (readonly [title: string, quantity: Quantity, digits: number])[] = [
  ["requests/s", "requestsPerSecond", 0],
  ["CPU-s/1k", "cpuPer1k", 4],
  ["p50 ms", "p50", 2],
  ["p99 ms", "p99", 2],
];

const legend = [
  "Median [min max] of the rounds. CPU and MiB are the server's, with all its processes; x nginx is",
  "CPU over that of nginx for the same reply (1 KB for a 402 or a paid request) and connections.",
  "gen is the cores that the load generator used: near 1 it was the limit, so requests/s say little.",
];

/** Loads as a table, the other measures as lines, and the bars. */
export function renderReport(results: readonly MeasureResult[], bars: readonly Bar[]): string {
  const loads = results.filter(({ values }) => values.cpuPer1k !== undefined);
  const others = results.filter((result) => !loads.includes(result));
  const parts = [
    loads.length === 0 ? [] : [...loadTable(loads, results), "", ...legend],
    others.map(otherLine),
    bars.map(renderBar),
  ];
  return parts.filter((lines) => lines.length > 0).map((lines) => lines.join("\n")).join("\n\n");
}

function loadTable(loads: readonly MeasureResult[], results: readonly MeasureResult[]): string[] {
  const titles = ["", ...columns.map(([title]) => title), "x nginx", "MiB", "peak", "gen"];
  const rows = loads.map((result) => {
    const { name, values: { rssMiB, peakRssMiB, generatorCores } } = result;
    const cells = columns.map(([, quantity, digits]) => cell(result.values[quantity]!, digits));
    const ratio = ratioToNginx(result, results)?.toFixed(2) ?? "";
    const ends = [rssMiB, peakRssMiB].map((spread) => spread!.median.toFixed(0));
    return [name, ...cells, ratio, ...ends, generatorCores!.median.toFixed(2)];
  });
  const widths = titles.map((title, i) => Math.max(title.length, ...rows.map((r) => r[i]!.length)));
  return [titles, ...rows].map((row) =>
    row.map((text, i) => i === 0 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!)).join("  ")
  );
}

function cell({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} [${min.toFixed(digits)} ${max.toFixed(digits)}]`;
}

function otherLine({ name, values }: MeasureResult): string {
  const parts = Object.entries(values).map(([quantity, spread]) =>
    `${quantity} ${cell(spread, 3)}`
  );
  return `${name}: ${parts.join(", ")}`;
}

function renderBar({ bar, figure, unit, atMost, met }: Bar): string {
  const verdict = met === undefined ? "" : `  (at most ${atMost}: ${met ? "met" : "NOT met"})`;
  return `${bar}: ${figure.toFixed(2)} ${unit}${verdict}`;
}
