/** `/metrics` of several workers: one valid text, with sums, and with what is there once, once. */
import assert from "node:assert/strict";
import { startGateway } from "../rig/gateway_process.ts";
import { samplesOf, typesOf } from "./exposition.ts";
import { promtoolTest, run } from "./promql.ts";

promtoolTest("the metrics of three workers are one text without a fault", async ({ promtool }) => {
  const manifests = await Deno.makeTempDir({ prefix: "x402_metrics_" });
  {
    await using gateway = await startGateway({ manifests, flags: ["--workers", "3"] });
    await gateway.logged("worker serves", ({ worker }) => worker === 1);
    await gateway.logged("worker serves", ({ worker }) => worker === 2);
    await gateway.logged("routes in force");
    const text = await (await fetch(`${gateway.metricsUrl}/metrics`)).text();
    typesOf(text);
    const { code, stdout, stderr } = await run(promtool, ["check", "metrics"], text);
    assert.equal(code, 0, stdout + stderr);
    const values = (name: string) =>
      samplesOf(text).filter((it) => it.name === name).map(({ value }) => value);
    assert.deepEqual(values("x402_workers"), [3]);
    assert.deepEqual(values("x402_build_info"), [1], "not a sum");
    assert.deepEqual(values("x402_snapshot_last_plan_successful"), [1], "not a sum");
    const [startedAt] = values("process_start_time_seconds");
    assert.ok(Math.abs(startedAt! - Date.now() / 1000) < 600);
    assert.equal(values("x402_ledger_open_payments").length, 6);
    assert.ok(values("process_resident_memory_bytes")[0]! < 2 ** 31);
  }
  await Deno.remove(manifests, { recursive: true });
});
