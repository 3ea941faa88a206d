/** Which namespaces an operator and an X402Route may reach into. */
import assert from "node:assert/strict";
import { ingress, postsCost, throughGateway, x402Route } from "./operator_manifests.ts";
import { Scenario } from "./operator_scenario.ts";
import { clusterTest } from "./test_cluster.ts";

const rules = [postsCost("/api/**")];

clusterTest("the Ingress of a neighbour has to allow it", async (cluster) => {
  await using scenario = await Scenario.start(cluster);
  await using owner = await scenario.neighbour();
  const { admin, namespace } = scenario;
  await owner.applyIngress("web", { "/api": "api" });
  const ingressRef = { name: "web", namespace: owner.namespace };
  await scenario.applyRoute("prices", { ingressRef, rules });
  const { status } = await scenario.untilCondition("prices", "Ready", "RefNotPermitted");
  const { message } = status!.conditions!.find(({ type }) => type === "ResolvedRefs")!;
  assert.match(message, new RegExp(`x402.io/allowed-namespaces: ${namespace}`));
  assert.deepEqual(await owner.backends("web"), { "/api": "api" });
  assert.equal(await owner.look("/api/x"), "404 404");

  const allow = (value: string | null) =>
    admin.patch("Ingress", ingressRef, {
      metadata: { annotations: { "x402.io/allowed-namespaces": value } },
    });
  for (const allowed of [`others, ${namespace}`, "*"]) {
    await allow(allowed);
    await scenario.untilReady("prices");
    await owner.untilBackends("web", { "/api": throughGateway });
    await owner.untilLook("/api/x", "api 402");
    await allow(null);
    await scenario.untilCondition("prices", "Ready", "RefNotPermitted");
    await owner.untilBackends("web", { "/api": "api" });
  }
});

clusterTest("an Ingress beside the operator uses the operator's own Service", async (cluster) => {
  await using scenario = await Scenario.start(cluster);
  const { admin, host, operatorNamespace: namespace } = scenario;
  await scenario.addService("api", namespace);
  await admin.apply(ingress(namespace, "web", { [host]: { "/api": "api" } }));
  await admin.apply(x402Route(namespace, "prices", { rules }));
  const live = await admin.waitUntil(
    "Ingress",
    { namespace, name: "web" },
    (it) => it?.spec?.rules?.[0]?.http?.paths[0]?.backend.service?.name === "x402-k8s-operator",
  );
  const { port } = live!.spec!.rules![0]!.http!.paths[0]!.backend.service!;
  assert.deepEqual(port, { number: 8402 });
  await scenario.untilLook("/api/x", "api 402");
  const services = await admin.list("Service", { namespace });
  assert.deepEqual(services.map((it) => it.metadata.name), ["api", "x402-k8s-operator"]);
});

clusterTest("--watch-namespaces: the others are left alone, with Roles only", async (cluster) => {
  await using scenario = await Scenario.create(cluster);
  await using other = await scenario.neighbour();
  await scenario.startOperator({ watchNamespaces: [scenario.namespace] });
  for (const user of [other, scenario]) {
    await user.applyIngress("web", { "/api": "api" });
    await user.applyRoute("prices", { rules });
  }
  await scenario.untilReady("prices");
  await scenario.untilLook("/api/x", "api 402");
  await scenario.untilBackends("web", { "/api": throughGateway });
  assert.equal(await other.look("/api/x"), "404 404");
  assert.deepEqual(await other.backends("web"), { "/api": "api" });
  const { namespace } = other;
  const route = await other.admin.get("X402Route", { namespace, name: "prices" });
  assert.equal(route.status, undefined);
  assert.equal(route.metadata.finalizers, undefined);
});
