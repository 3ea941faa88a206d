/** An original backend that nobody knows any more: the path is not opened, and the user is told. */
import assert from "node:assert/strict";
import { postsCost, throughGateway } from "./operator_manifests.ts";
import { inAllCases, Scenario } from "./operator_scenario.ts";
import { clusterTest } from "./test_cluster.ts";

const losses: readonly { readonly what: string; readonly annotation: string | null }[] = [
  { what: "deleted", annotation: null },
  { what: "no JSON", annotation: "{" },
  {
    what: "naming the gateway itself",
    annotation: JSON.stringify({
      gateway: "x402-gateway",
      originals: [{
        backend: { service: { name: "x402-gateway", port: { number: 8402 } } },
        hosts: { HOST: { Prefix: ["/api"] } },
      }],
    }),
  },
];

clusterTest("an annotation that is lost while the operator is down", async (cluster) => {
  await using scenario = await Scenario.start(cluster);
  await using stack = new AsyncDisposableStack();
  const cases = await Promise.all(
    losses.map(async (loss) => ({ ...loss, user: stack.use(await scenario.neighbour()) })),
  );
  await inAllCases(cases, async ({ user }) => {
    await user.applyIngress("web", { "/api": "api", "/docs": "site" });
    await user.applyRoute("prices", { rules: [postsCost("/api/**")] });
    await user.untilReady("prices");
  });

  await scenario.operator.stop();
  await inAllCases(cases, async ({ user: { admin, namespace, host }, annotation }) => {
    const value = annotation?.replace("HOST", host) ?? null;
    const metadata = { annotations: { "x402.io/original-backends": value } };
    await admin.patch("Ingress", { namespace, name: "web" }, { metadata });
  });
  await scenario.startOperator();
  await inAllCases(cases, async ({ user }) => {
    const { status } = await user.untilCondition("prices", "IngressPatched", "OriginalUnknown");
    const { message } = status!.conditions!.find(({ type }) => type === "IngressPatched")!;
    assert.match(message, /path "\/api" of .* write its original backend into the Ingress again/);
    assert.equal(status!.ready, false);
    assert.deepEqual(await user.backends("web"), { "/api": throughGateway, "/docs": "site" });
    assert.equal(await user.look("/api/x"), "503 503");
  });

  await inAllCases(cases, async ({ user }) => {
    await user.applyIngress("web", { "/api": "site", "/docs": "site" });
    await user.untilReady("prices");
    await user.untilBackends("web", { "/api": throughGateway, "/docs": "site" });
    await user.untilLook("/api/x", "site 402");
  });
});
