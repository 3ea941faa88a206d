/** Dashboard and alerts ask for what the program really exposes: an operator that has done things. */
import assert from "node:assert/strict";
import { findPrometheus } from "../cluster/prometheus_assets.ts";
import { lookingClient } from "../cluster/operator_look.ts";
import { postsCost } from "../cluster/operator_manifests.ts";
import type { OperatorProcess } from "../cluster/operator_process.ts";
import { Scenario } from "../cluster/operator_scenario.ts";
import { clusterTest } from "../cluster/test_cluster.ts";
import { allowLoopback } from "../rig/rig.ts";
import { signPayment, usdcRequirements } from "../rig/sign_payment.ts";
import { startScriptedFacilitator } from "../support/scripted_facilitator.ts";
import { alertRules, dashboard, filledIn } from "./chart_expressions.ts";
import { type Sample, samplesOf, typesOf } from "./exposition.ts";
import { type Matcher, promtoolTest, run, type Selector, usesOf } from "./promql.ts";

/** What Prometheus adds to every series that it scrapes, in the words of a ServiceMonitor. */
const targetLabels = { job: "x402", instance: "10.0.0.1:8080", namespace: "x402-system" };

const seller = "0x1f6004907Adc7d313768b85917e069e011150390";

clusterTest(
  "every selector of dashboard and alerts finds series of an operator",
  async (cluster) => {
    if (await findPrometheus() === undefined) return; // told of below
    await using facilitator = startScriptedFacilitator();
    await using scenario = await Scenario.start(cluster, { flags: allowLoopback });
    const payment = { facilitatorURL: facilitator.url };
    await scenario.applyIngress("web", { "/api": "api" });
    await scenario.applyRoute("prices", { rules: [postsCost("/api/**")], payment });
    await scenario.untilReady("prices");
    // One that is not as it should be.
    await scenario.applyIngress("by-hand", { "/by-hand": "api" });
    const backend = { service: { name: "api", port: { name: "http" } } };
    const rules = [{ ...postsCost("/by-hand/**"), backend }];
    await scenario.applyRoute("by-hand", {
      ingressRef: { name: "by-hand", mode: "Manual" },
      rules,
      payment,
    });
    await scenario.untilCondition("by-hand", "IngressPatched", "NotPointed");
    await buy(scenario, "/api/x");
    const text = await scenario.operator.metrics();
    typesOf(text);
    await checkAll(
      samplesOf(text).map(({ labels, ...it }) => (
        { ...it, labels: { ...targetLabels, ...labels } }
      )),
    );
  },
);

/** Pays for one request, and waits until that is counted. */
async function buy({ operator, host }: Scenario, path: string): Promise<void> {
  const requirements = usdcRequirements(2, "1000", seller);
  const { header } = await signPayment({ version: 2, buyer: 1, requirements });
  using client = lookingClient();
  const headers: [string, string][] = [["host", host], header];
  const reply = await fetch(operator.gatewayUrl + path, { method: "POST", headers, client });
  assert.equal(reply.status, 200, await reply.text());
  await untilDelivered(operator);
}

/** What became of a reply is written after it. */
async function untilDelivered(operator: OperatorProcess): Promise<void> {
  const delivered = () => operator.metric("x402_payments_closed_total", { state: "delivered" });
  while (await delivered() === 0) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function checkAll(samples: readonly Sample[]): Promise<void> {
  const expressions = await allExpressions();
  const uses = await usesOf(expressions.map(({ expr }) => expr));
  const offences = uses.flatMap(({ error, selectors, groupings }, i) => {
    const { where } = expressions[i]!;
    if (error !== undefined) return [`${where}: ${error}`];
    const empty = selectors.filter((selector) => !samples.some((it) => matches(it, selector)));
    const unknown = groupings.flatMap(({ metrics, labels }) =>
      metrics.flatMap((metric) =>
        labels.filter((label) => !samples.some((it) => it.name === metric && label in it.labels))
          .map((label) => `${where}: ${metric} has no label ${label}`)
      )
    );
    return [...empty.map((it) => `${where}: nothing for ${JSON.stringify(it)}`), ...unknown];
  });
  assert.deepEqual(offences, []);
}

async function allExpressions(): Promise<{ where: string; expr: string }[]> {
  const { panels } = await dashboard();
  return [
    ...(await alertRules()).map(({ alert, expr }) => ({ where: alert, expr })),
    ...panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr }) => ({ where: title, expr: filledIn(expr) }))
    ),
  ];
}

function matches({ name, labels }: Sample, { metric, matchers }: Selector): boolean {
  // A label that is not there is as good as an empty one, which would hide a misspelled name.
  return name === metric &&
    matchers.every((matcher) => matcher.label in labels && holds(matcher, labels[matcher.label]!));
}

function holds({ op, value }: Matcher, text: string): boolean {
  if (op === "=" || op === "!=") return (text === value) === (op === "=");
  return new RegExp(`^(?:${value})$`).test(text) === (op === "=~");
}

promtoolTest(
  "every expression of the dashboard is valid, and Prometheus finds no fault",
  async ({ promtool }) => {
    const rules = (await allExpressions()).map(({ expr }, i) => ({
      record: `x402:rule${i}`,
      expr,
    }));
    const file = await Deno.makeTempFile({ suffix: ".json" });
    await Deno.writeTextFile(file, JSON.stringify({ groups: [{ name: "all", rules }] }));
    const { code, stderr } = await run(promtool, ["check", "rules", "--lint-fatal", file]);
    await Deno.remove(file);
    assert.equal(code, 0, stderr);
  },
);
