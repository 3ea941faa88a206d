/** What is exposed is what `store/metric_catalogue.ts` declares, of which docs/metrics.md is made. */
import assert from "node:assert/strict";
import { failureTable } from "../../gateway/failures.ts";
import { closedStates, definitionOf, metricCatalogue } from "../../store/metric_catalogue.ts";
import type { MetricName } from "../../store/metric_catalogue.ts";
import { Metrics } from "../../store/metrics.ts";
import { paymentBed } from "../support/payment_bed.ts";
import { samplesOf, typesOf } from "./exposition.ts";
import { promtoolTest, run } from "./promql.ts";

const names = Object.keys(metricCatalogue) as MetricName[];

function allMetrics(): Metrics {
  const metrics = new Metrics();
  metrics.exposeProcess({ version: "1", commit: "c", deno: "2" });
  void metrics.cluster;
  return metrics;
}

Deno.test("every metric that is declared is registered, and no other", async () => {
  const text = await allMetrics().registry.metrics();
  const types = typesOf(text);
  assert.deepEqual([...types.keys()].sort(), [...names].sort());
  for (const [name, type] of types) assert.equal(type, definitionOf(name as MetricName).type, name);
  for (const name of names) {
    assert.match(text, new RegExp(`^# HELP ${name} .*[^.]$`, "m"), "a sentence without its dot");
  }
});

Deno.test("a gateway exposes no label and no value that is not declared", async () => {
  await using bed = paymentBed();
  await (await bed.fetch("/paid/x", await bed.sign())).text();
  await bed.becomes("delivered");
  const samples = samplesOf(await (await fetch(`${bed.gateway.metricsUrl}/metrics`)).text());
  for (const { name, labels } of samples) {
    const declared = names.find((it) => name.replace(/_(bucket|sum|count)$/, "") === it) ?? name;
    const { labels: known = {} } = definitionOf(declared as MetricName);
    for (const [label, value] of Object.entries(labels)) {
      if (label === "le") continue;
      assert.ok(label in known, `${name}{${label}}`);
      const values = known[label]!;
      assert.ok(typeof values === "string" || values.includes(value), `${name}{${label}=${value}}`);
    }
  }
  const codes = samples.filter(({ name }) => name === "x402_refused_requests_total");
  assert.deepEqual(codes.map(({ labels }) => labels.code), Object.keys(failureTable));
  assert.equal(closedStates.length, 4);
});

promtoolTest("Prometheus' linter has nothing to say", async ({ promtool }) => {
  const text = await allMetrics().registry.metrics();
  const { code, stdout, stderr } = await run(promtool, ["check", "metrics"], text);
  assert.equal(code, 0, stdout + stderr);
});
