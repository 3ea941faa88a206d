import type { SoakReport } from "./run_soak.ts";

/** The report as a table. */
export function summaryOf({ journal, faults, figures }: SoakReport): string {
  const clients = [...journal.counts].sort(([a], [b]) => a.localeCompare(b)).map((
    [kind, outcomes],
  ) => [kind, tally(outcomes)] as const);
  return [
    ...section("What clients saw", clients),
    ...section("Faults made", [...faults.tally()].sort().map(([name, n]) => [name, String(n)])),
    ...section("Figures", figures),
    ...journal.violations,
    `${journal.violationCount} violations`,
  ].join("\n");
}

function tally(outcomes: ReadonlyMap<string, number>): string {
  return [...outcomes].sort(([, a], [, b]) => b - a)
    .map(([outcome, count]) => `${outcome}: ${count}`).join(" | ");
}

function section(title: string, rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return [title, ...rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`), ""];
}
