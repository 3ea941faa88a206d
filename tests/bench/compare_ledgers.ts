import type { LedgerCost } from "./ledger_rows.ts";
import type { MeasureResult } from "./measure.ts";
import type { Comparison } from "./report.ts";

/** What the ledger may cost: time and CPU of a paid request, and what a million rows change. */
export function compareLedgers(
  { noLedger, withLedger }: Record<"noLedger" | "withLedger", MeasureResult>,
  [empty, full]: readonly [LedgerCost, LedgerCost],
): Comparison[] {
  const added = withLedger.p50.median - noLedger.p50.median;
  const cpu = withLedger.cpuPer1k.median / noLedger.cpuPer1k.median;
  const slower = full.reserveP50 / empty.reserveP50;
  return [
    {
      claim: "ledger: ms added to p50 of a paid request, at most 0.15",
      ratio: added,
      met: added <= 0.15,
    },
    {
      claim: "ledger: at most 1.40 x CPU of a paid request without it",
      ratio: cpu,
      met: cpu <= 1.4,
    },
    { claim: "ledger: ms of the four writes that a paid reply waits for", ratio: empty.writesP50 },
    { claim: "ledger: CPU ms of all five writes", ratio: empty.cpu },
    { claim: "ledger: reservation with 1,000,000 rows / with none", ratio: slower },
  ];
}
