import assert from "node:assert/strict";
import { runSoak } from "./run_soak.ts";
import { summaryOf } from "./summary.ts";

Deno.test("a short soak: swaps, crashes and hostile clients, and nobody gets what is not theirs", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const report = await runSoak({ seconds: 10, seed });
  assert.equal(report.journal.violationCount, 0, `seed ${seed}\n${summaryOf(report)}`);
});
