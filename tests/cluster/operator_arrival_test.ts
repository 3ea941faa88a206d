/** Objects that come later, or go: what is written into the cluster follows within a second. */
import assert from "node:assert/strict";
import { postsCost, throughGateway } from "./operator_manifests.ts";
import { Scenario } from "./operator_scenario.ts";
import { clusterTest } from "./test_cluster.ts";

const drain = { flags: ["--drain-routes", "2s"] };

/** Milliseconds. */
async function duration(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

clusterTest("an Ingress, then a Service, that come after the X402Route", async (cluster) => {
  await using scenario = await Scenario.start(cluster);
  await scenario.applyRoute("prices", { rules: [postsCost("/api/**")] });
  await scenario.untilCondition("prices", "Ready", "IngressNotFound");

  const ingressTook = await duration(async () => {
    await scenario.applyIngress("web", { "/api": "late" });
    await scenario.untilBackends("web", { "/api": throughGateway });
  });
  assert.ok(ingressTook < 1_000, `${ingressTook} ms`);
  await scenario.untilCondition("prices", "Ready", "BackendNotFound");
  assert.equal(await scenario.look("/api/x"), "503 503");

  const serviceTook = await duration(async () => {
    await scenario.addService("late");
    await scenario.untilLook("/api/x", "late 402");
    await scenario.untilReady("prices");
  });
  assert.ok(serviceTook < 1_000, `${serviceTook} ms`);
});

clusterTest("a path that has gone is served on, then not at all", async (cluster) => {
  await using scenario = await Scenario.start(cluster, drain);
  await scenario.applyIngress("web", { "/api/v1": "api", "/api/v2": "site" });
  await scenario.applyRoute("prices", { rules: [postsCost("/api/**")] });
  await scenario.untilReady("prices");
  await scenario.untilLook("/api/v2", "site 402");

  const took = await duration(async () => {
    const looking = scenario.keepLooking("/api/v2", "site 402");
    await scenario.applyIngress("web", { "/api/v1": "api" });
    await scenario.untilBackends("web", { "/api/v1": throughGateway });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    assert.ok(await looking.end() > 0);
    await scenario.untilLook("/api/v2", "404 404");
  });
  assert.ok(took > 2_000 && took < 3_000, `${took} ms`);
  assert.equal(await scenario.look("/api/v1"), "api 402");
});

clusterTest("after the last X402Route, nothing of the operator is left", async (cluster) => {
  await using scenario = await Scenario.start(cluster, drain);
  const { admin, namespace } = scenario;
  const written = await scenario.applyIngress("web", { "/api": "api", "/docs": "site" });
  await scenario.applyRoute("prices", { rules: [postsCost("/api/**")] });
  await scenario.applyRoute("more", { rules: [postsCost("/docs/**")] });
  await scenario.untilBackends("web", { "/api": throughGateway, "/docs": throughGateway });
  await scenario.untilLook("/docs/x", "site 402");
  await scenario.delete("X402Route", "more");
  await scenario.untilBackends("web", { "/api": throughGateway, "/docs": "site" });

  const looking = scenario.keepLooking("/api/x", ["api 402", "api api"]);
  await scenario.delete("X402Route", "prices");
  const live = await scenario.untilBackends("web", { "/api": "api", "/docs": "site" });
  const restored = performance.now();
  assert.equal(JSON.stringify(live.spec), JSON.stringify(written.spec));
  assert.deepEqual(live.metadata.annotations, written.metadata.annotations);
  await scenario.untilGone("X402Route", "prices");
  // Proxies in front still send requests that way.
  assert.ok((await admin.list("Service", { namespace })).some(isGateway));
  assert.ok((await admin.list("EndpointSlice", { namespace })).length > 0);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  assert.ok(await looking.end() > 0);
  await scenario.untilGone("Service", "x402-gateway");
  assert.ok(performance.now() - restored > 1_900);
  await admin.waitUntilAll("EndpointSlice", { namespace }, (slices) => slices.length === 0);
  await scenario.untilLook("/api/x", "404 404");
});

function isGateway({ metadata }: { metadata: { name: string } }): boolean {
  return metadata.name === "x402-gateway";
}
