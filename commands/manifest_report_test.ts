import assert from "node:assert/strict";
import { Logger } from "../store/log.ts";
import { Metrics } from "../store/metrics.ts";
import { manifestReporter } from "./manifest_report.ts";

Deno.test("whether the manifests as they are written are in force can be scraped", async () => {
  const metrics = new Metrics();
  const logged: Record<string, unknown>[] = [];
  const log = new Logger("info", (line) => logged.push(JSON.parse(line)));
  const report = manifestReporter(log, metrics);
  const successful = async () =>
    /^x402_snapshot_last_plan_successful (.*)$/m.exec(await metrics.registry.metrics())?.[1];
  const published = { ingresses: 1, routes: 3, rules: 1, ms: 1, conditions: [] };
  report({ type: "snapshot-published", ...published });
  assert.equal(await successful(), "1");
  report({ type: "manifest-error", file: "a.yaml", line: 1, reason: "no YAML" });
  assert.equal(await successful(), "0");
  report({ type: "snapshot-published", ...published });
  assert.equal(await successful(), "1");
  report({ type: "publish-failed", reason: "a fault" });
  assert.equal(await successful(), "0");
  assert.match(await metrics.registry.metrics(), /^x402_active_routes 3$/m);
  assert.ok(logged.every((line) => !("conditions" in line)), "they are not for the log");
});
