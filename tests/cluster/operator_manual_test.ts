/** `ingressRef.mode: Manual`: no object of the user's is changed. */
import assert from "node:assert/strict";
import { postsCost, throughGateway } from "./operator_manifests.ts";
import { Scenario } from "./operator_scenario.ts";
import { clusterTest } from "./test_cluster.ts";

clusterTest("the user's Ingress names the gateway, the rules their backends", async (cluster) => {
  await using scenario = await Scenario.start(cluster);
  const { admin, namespace } = scenario;
  const backend = { service: { name: "api", port: { name: "http" } } };
  const rules = [{ ...postsCost("/api/**"), backend }, { path: "/**", free: true, backend }];
  const before = await scenario.applyIngress("web", { "/api": "api" });
  await scenario.applyRoute("prices", { ingressRef: { mode: "Manual" }, rules });
  const { status } = await scenario.untilCondition("prices", "Ready", "NotPointed");
  assert.equal(status?.ready, false);
  assert.equal(
    (await admin.waitUntil("Service", { namespace, name: "x402-gateway" }, (it) => !!it))
      ?.spec?.type,
    "ClusterIP",
  );
  const live = await admin.get("Ingress", { namespace, name: "web" });
  assert.equal(live.metadata.resourceVersion, before.metadata.resourceVersion);

  const pointed = await scenario.applyIngress("web", { "/api": throughGateway });
  await scenario.untilCondition("prices", "IngressPatched", "Manual");
  await scenario.untilReady("prices");
  await scenario.untilLook("/api/x", "api 402");
  await scenario.delete("X402Route", "prices");
  await scenario.untilGone("X402Route", "prices");
  const after = await admin.get("Ingress", { namespace, name: "web" });
  assert.equal(after.metadata.resourceVersion, pointed.metadata.resourceVersion);
});
