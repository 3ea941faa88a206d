/** Ingresses that are very large, or that would break behind the gateway. */
import assert from "node:assert/strict";
import { ingress, type IngressPaths, postsCost, throughGateway } from "./operator_manifests.ts";
import { inAllCases, Scenario } from "./operator_scenario.ts";
import { clusterTest } from "./test_cluster.ts";

clusterTest("an Ingress with 10,000 paths is patched and restored", async (cluster) => {
  await using scenario = await Scenario.start(cluster);
  const paths: IngressPaths = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, index) => [`/api/${index}`, index % 2 ? "api" : "site"]),
  );
  const patched = Object.fromEntries(Object.keys(paths).map((path) => [path, throughGateway]));
  const { spec } = await scenario.applyIngress("web", paths);
  await scenario.applyRoute("prices", { rules: [postsCost("/api/**")] });
  await scenario.untilBackends("web", patched, 60_000);
  await scenario.untilReady("prices");
  await scenario.untilLook("/api/9999", "api 402");
  await scenario.untilLook("/api/1234/x", "site 402");
  await scenario.delete("X402Route", "prices");
  const restored = await scenario.untilBackends("web", paths, 60_000);
  assert.equal(JSON.stringify(restored.spec), JSON.stringify(spec));
  assert.equal(restored.metadata.annotations, undefined);
});

interface Unsafe {
  readonly what: string;
  readonly value: string;
}

const unsafe: readonly Unsafe[] = [
  { what: "nginx.ingress.kubernetes.io/backend-protocol", value: "GRPC" },
  { what: "nginx.ingress.kubernetes.io/ssl-passthrough", value: "true" },
  { what: "haproxy.org/server-proto", value: "h2" },
];

clusterTest("an Ingress that would break behind the gateway is refused", async (cluster) => {
  await using scenario = await Scenario.start(cluster);
  await using stack = new AsyncDisposableStack();
  const cases = await Promise.all(
    unsafe.map(async (each) => ({ ...each, user: stack.use(await scenario.neighbour()) })),
  );
  await inAllCases(cases, async ({ what, value, user }) => {
    const { admin, namespace, host } = user;
    const paths = { [host]: { "/api": "api" } };
    await admin.apply(ingress(namespace, "web", paths, { annotations: { [what]: value } }));
    await user.applyRoute("prices", { rules: [postsCost("/api/**")] });
    const { status } = await user.untilCondition("prices", "Ready", "UnsafeIngress");
    const { message } = status!.conditions!.find(({ type }) => type === "IngressPatched")!;
    assert.match(message, new RegExp(`${what}: ${value}`));
    assert.deepEqual(await user.backends("web"), { "/api": "api" });

    await admin.apply(ingress(namespace, "web", paths));
    await user.untilReady("prices");
    await user.untilBackends("web", { "/api": throughGateway });
  });
});

clusterTest("a path that is rewritten is patched, with a warning", async (cluster) => {
  await using scenario = await Scenario.start(cluster);
  const { admin, namespace, host } = scenario;
  const annotations = { "nginx.ingress.kubernetes.io/rewrite-target": "/" };
  await admin.apply(ingress(namespace, "web", { [host]: { "/shop": "api" } }, { annotations }));
  await scenario.applyRoute("prices", { rules: [postsCost("/api/**")] });
  const { status } = await scenario.untilReady("prices");
  assert.deepEqual(await scenario.backends("web"), { "/shop": throughGateway });
  const { message } = status!.conditions!.find(({ type }) => type === "Accepted")!;
  assert.match(message, /rewrit/);
});
