/** Ingresses that are not a list of plain paths, as clients see them through nginx. */
import assert from "node:assert/strict";
import { type Front, gatewayRequests, startFront } from "./nginx_front.ts";
import { ingressPaths, throughGateway } from "./operator_manifests.ts";
import { proxyTest } from "./test_proxy.ts";

const http = { name: "http" };
const backend = { service: { name: "api", port: http } };

function applyWeb({ scenario }: Front, spec: object, annotations: Record<string, string> = {}) {
  const { admin, namespace } = scenario;
  return admin.apply({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { namespace, name: "web", annotations },
    spec,
  });
}

/** After the X402Route is gone, and the gateway with it. */
async function assertRestored(front: Front, path: string): Promise<void> {
  await front.scenario.delete("X402Route", "prices");
  await front.untilRestored();
  front.scenario.operator.kill("SIGKILL");
  assert.equal(await front.ask(path), "200 api");
}

proxyTest(
  "a default backend is charged for, what has a path of its own is not",
  async (cluster) => {
    await using front = await startFront(cluster);
    const { host, operator } = front.scenario;
    const rules = [{ host, http: { paths: ingressPaths({ "/docs": "site" }) } }];
    await applyWeb(front, { defaultBackend: backend, rules });
    await front.scenario.applyRoute("prices", { rules: [{ path: "/paid/**" }] });
    await front.untilCharged();
    assert.equal(await front.ask("/paid/x"), "402");
    assert.equal(await front.ask("/other"), "200 api");
    const before = await gatewayRequests(operator);
    assert.equal(await front.ask("/docs/x"), "200 site");
    assert.equal(await gatewayRequests(operator), before);
    await assertRestored(front, "/paid/x");
  },
);

proxyTest("rules are about the path after its rewrite", async (cluster) => {
  await using front = await startFront(cluster);
  const { host } = front.scenario;
  const paths = [{ path: "/shop(/|$)(.*)", pathType: "ImplementationSpecific", backend }];
  const target = { "nginx.ingress.kubernetes.io/rewrite-target": "/$2" };
  await applyWeb(front, { rules: [{ host, http: { paths } }] }, target);
  await front.scenario.applyRoute("prices", { rules: [{ path: "/paid/**" }] });
  await front.untilCharged();
  assert.equal(await front.ask("/shop/paid/x"), "402");
  assert.equal(await front.ask("/shop/other"), "200 api");
  assert.equal(await front.ask("/paid/x"), "404 nginx");
  await assertRestored(front, "/shop/paid/x");
});

proxyTest("Manual: the user's Ingress leads to the gateway, the rules lead on", async (cluster) => {
  await using front = await startFront(cluster);
  const { scenario } = front;
  await scenario.applyRoute("prices", {
    ingressRef: { mode: "Manual" },
    rules: [
      { path: "/api/paid/**", backend: { service: { name: "api", port: http } } },
      { path: "/api/**", free: true, backend: { service: { name: "site", port: http } } },
    ],
  });
  await scenario.applyIngress("web", { "/api": "site" });
  await scenario.untilCondition("prices", "Ready", "NotPointed");
  await scenario.applyIngress("web", { "/api": throughGateway });
  await scenario.untilReady("prices");
  await front.untilCharged();
  assert.equal(await front.ask("/api/paid/x"), "402");
  assert.equal(await front.ask("/api/x"), "200 site");
  // Away from the gateway again before the X402Route goes: no request fails on the way.
  await scenario.applyIngress("web", { "/api": "api" });
  await assertRestored(front, "/api/paid/x");
});
