import assert from "node:assert/strict";
import { barsOf } from "./bars.ts";
import { nameOf } from "./load_measures.ts";
import { summarize } from "./measure_result.ts";
import { measureLine } from "./report.ts";

const nginx = summarize(nameOf("nginx", "free"), [
  { cpuPer1k: 0.05 },
  { cpuPer1k: 0.01 },
  { cpuPer1k: 0.02 },
]);

function gateway(cpuPer1k: number) {
  return summarize(nameOf("gateway", "free"), [{ cpuPer1k }], nginx.name);
}

Deno.test("a bar compares medians", () => {
  const [met, ...others] = barsOf([nginx, gateway(0.06)]);
  assert.deepEqual(others, []);
  assert.match(met!.bar, /^free proxying: CPU \/ nginx/);
  assert.deepEqual([met!.figure, met!.atMost, met!.met], [3, 3, true]);
  assert.equal(barsOf([nginx, gateway(0.061)])[0]!.met, false);
});

Deno.test("without nginx there is no bar about it, and no ratio", () => {
  assert.deepEqual(barsOf([gateway(0.06)]), []);
  assert.equal(JSON.parse(measureLine(gateway(0.06), [])).ratioToNginx, undefined);
});

Deno.test("a line has medians, the ratio to nginx, and what lies around the medians", () => {
  assert.deepEqual(JSON.parse(measureLine(gateway(0.05), [nginx, gateway(0.05)])), {
    name: "gateway: free, 32 connections",
    cpuPer1k: 0.05,
    ratioToNginx: 2.5,
    spread: { cpuPer1k: [0.05, 0.05] },
  });
  const { cpuPer1k, spread } = JSON.parse(measureLine(nginx, [nginx]));
  assert.deepEqual([cpuPer1k, spread.cpuPer1k], [0.02, [0.01, 0.05]]);
});
