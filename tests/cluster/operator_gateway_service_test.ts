/** The Service by which the Ingresses of a namespace reach the gateway. */
import assert from "node:assert/strict";
import { postsCost, service, throughGateway } from "./operator_manifests.ts";
import { startOperator } from "./operator_process.ts";
import { setOperatorAddresses } from "./operator_service.ts";
import { Scenario } from "./operator_scenario.ts";
import { clusterTest } from "./test_cluster.ts";

const rules = [postsCost("/api/**")];

clusterTest("it leads where the operator's own Service leads", async (cluster) => {
  await using scenario = await Scenario.start(cluster);
  const { admin, namespace, operator, operatorNamespace } = scenario;
  await scenario.applyIngress("web", { "/api": "api" });
  await scenario.applyRoute("prices", { rules });
  await scenario.untilReady("prices");
  const { spec } = await admin.get("Service", { namespace, name: "x402-gateway" });
  assert.equal(spec?.type, "ClusterIP");
  assert.equal(spec?.selector, undefined);
  assert.deepEqual(spec?.ports?.map(({ name, port }) => [name, port]), [["http", 8402]]);

  const leadsTo = (addresses: string[]) =>
    admin.waitUntilAll("EndpointSlice", { namespace }, (slices) => {
      const found = slices.flatMap(({ endpoints }) => (endpoints ?? []).map((it) => it.addresses));
      return JSON.stringify(found.flat().sort()) === JSON.stringify(addresses);
    });
  const [slice] = await leadsTo(["198.51.100.1"]);
  assert.equal(slice?.metadata.labels?.["kubernetes.io/service-name"], "x402-gateway");
  assert.deepEqual(
    slice?.ports?.map(({ name, port }) => [name, port]),
    [["http", Number(new URL(operator.gatewayUrl).port)]],
  );
  const pods = ["198.51.100.1", "198.51.100.2"];
  await setOperatorAddresses(cluster, operatorNamespace, pods, operator.gatewayUrl);
  await leadsTo(pods);
});

clusterTest("a Service of that name that is somebody else's stays his", async (cluster) => {
  await using scenario = await Scenario.start(cluster);
  const { admin, namespace } = scenario;
  const foreign = await admin.apply(service(namespace, "x402-gateway", 80));
  await scenario.applyIngress("web", { "/api": "api" });
  await scenario.applyRoute("prices", { rules });
  const { status } = await scenario.untilCondition("prices", "Ready", "GatewayServiceConflict");
  const { message } = status!.conditions!.find(({ type }) => type === "IngressPatched")!;
  assert.match(message, /--gateway-service-name/);
  assert.deepEqual(await scenario.backends("web"), { "/api": "api" });
  const live = await admin.get("Service", { namespace, name: "x402-gateway" });
  assert.equal(live.metadata.resourceVersion, foreign.metadata.resourceVersion);

  await scenario.delete("Service", "x402-gateway");
  await scenario.untilReady("prices");
  await scenario.untilBackends("web", { "/api": throughGateway });
});

clusterTest("a selector that somebody adds to it is taken away again", async (cluster) => {
  await using scenario = await Scenario.start(cluster);
  const { admin, namespace } = scenario;
  await scenario.applyIngress("web", { "/api": "api" });
  await scenario.applyRoute("prices", { rules });
  await scenario.untilReady("prices");
  const name = { namespace, name: "x402-gateway" };
  await admin.patch("Service", name, { spec: { selector: { app: "thief" } } });
  await admin.waitUntil("Service", name, (it) => it !== undefined && !it.spec?.selector);
  await admin.waitUntilAll("EndpointSlice", { namespace }, (slices) => slices.length === 1);
});

clusterTest("two installations do not take each other's Service away", async (cluster) => {
  await using scenario = await Scenario.start(cluster);
  const { admin, namespace } = scenario;
  await scenario.applyIngress("web", { "/api": "api" });
  await scenario.applyRoute("prices", { rules });
  await scenario.untilReady("prices");
  const name = { namespace, name: "x402-gateway" };
  const { metadata: { uid } } = await admin.get("Service", name);
  await using other = await startOperator(cluster, {
    namespace: await cluster.createNamespace(),
    flags: ["--drain-routes", "1ms", "--allow-external-name"],
  });
  await other.waitUntilReady();
  await other.logged(
    "X402Route does not work as written",
    ({ reason }) => reason === "GatewayServiceConflict",
  );
  const live = await admin.get("Service", name);
  assert.equal(live.metadata.uid, uid);
  await scenario.untilBackends("web", { "/api": throughGateway });
});

clusterTest("--gateway-service=external-name keeps the original's way", async (cluster) => {
  await using scenario = await Scenario.start(cluster, {
    flags: ["--gateway-service", "external-name", "--cluster-domain", "cluster.test"],
  });
  const { admin, namespace, operatorNamespace } = scenario;
  await scenario.applyIngress("web", { "/api": "api" });
  await scenario.applyRoute("prices", { rules });
  await scenario.untilReady("prices");
  await scenario.untilBackends("web", { "/api": throughGateway });
  const { spec } = await admin.get("Service", { namespace, name: "x402-gateway" });
  assert.equal(spec?.type, "ExternalName");
  assert.equal(spec?.externalName, `x402-k8s-operator.${operatorNamespace}.svc.cluster.test`);
  assert.deepEqual(await admin.list("EndpointSlice", { namespace }), []);
});
