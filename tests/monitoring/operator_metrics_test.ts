/** What an operator counts of its cluster is what happened there. */
import assert from "node:assert/strict";
import { eventually } from "../cluster/operator_look.ts";
import { postsCost, throughGateway } from "../cluster/operator_manifests.ts";
import { Scenario } from "../cluster/operator_scenario.ts";
import { clusterTest } from "../cluster/test_cluster.ts";

clusterTest("paths that somebody puts back, and what the conditions say", async (cluster) => {
  await using scenario = await Scenario.start(cluster);
  const { operator } = scenario;
  const reverts = () => operator.metric("x402_ingress_reverts_total");
  const routes = (condition: string, reason: string) =>
    operator.metric("x402_route_conditions", { condition, reason });
  await scenario.applyIngress("web", { "/api": "api" });
  await scenario.applyRoute("prices", { rules: [postsCost("/api/**")] });
  await scenario.applyRoute("lost", {
    rules: [postsCost("/api/**")],
    ingressRef: { name: "nowhere" },
  });
  await scenario.untilReady("prices");
  await scenario.untilCondition("lost", "Ready", "IngressNotFound");
  assert.equal(await reverts(), 0, "the first patch is none");
  // The condition is counted with the plan that follows the patch.
  await eventually(() => routes("IngressPatched", "Patched"), 1);
  assert.equal(await routes("Ready", "Ready"), 1);
  assert.equal(await routes("Ready", "IngressNotFound"), 1);
  await scenario.applyIngress("web", { "/api": "api" });
  await eventually(reverts, 1);
  await scenario.untilBackends("web", { "/api": throughGateway });
});

clusterTest("who leads without an election says so", async (cluster) => {
  await using scenario = await Scenario.start(cluster, { flags: ["--leader-elect=false"] });
  assert.equal(await scenario.operator.metric("x402_leader"), 1);
});
