import assert from "node:assert/strict";
import { Logger } from "../../store/log.ts";
import { SparseLog } from "./sparse_log.ts";

Deno.test("SparseLog writes so many lines of a kind, then says how many it left out", () => {
  const lines: Record<string, unknown>[] = [];
  const log = new Logger("error", (line) => lines.push(JSON.parse(line)));
  const clock = { ms: 0 };
  const sparse = new SparseLog(log, () => clock.ms, { count: 2, perMs: 1_000 });
  for (let i = 0; i < 5; i++) sparse.error("busy", "failed", { i });
  sparse.error("other", "failed", { i: 5 });
  clock.ms += 1_000;
  for (let i = 6; i < 8; i++) sparse.error("busy", "failed", { i });
  assert.deepEqual(lines.map(({ i, skipped }) => [i, skipped]), [
    [0, undefined],
    [1, undefined],
    [5, undefined],
    [6, 3],
    [7, undefined],
  ]);
});
