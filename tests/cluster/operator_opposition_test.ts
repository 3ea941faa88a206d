/** Somebody else undoes what the operator writes, or the API server refuses it. */
import assert from "node:assert/strict";
import { rolesName } from "./operator_account.ts";
import { postsCost, throughGateway } from "./operator_manifests.ts";
import { type ApiError, KubeHttp } from "./kube_http.ts";
import { collectionPath, type Kind } from "./kube_kinds.ts";
import { Scenario } from "./operator_scenario.ts";
import { clusterTest, type TestCluster } from "./test_cluster.ts";

const rules = [postsCost("/api/**")];
const docs = { ingressRef: { name: "docs" }, rules: [postsCost("/docs/**")] };
const written = { "/api": "api" };
const patched = { "/api": throughGateway };

clusterTest(
  "the original is applied again and again: patched within a second, and told",
  async (cluster) => {
    await using scenario = await Scenario.start(cluster);
    await scenario.applyIngress("web", written);
    await scenario.applyRoute("prices", { rules });
    await scenario.untilReady("prices");
    for (let round = 0; round < 6; round++) {
      await scenario.applyIngress("web", written);
      const applied = performance.now();
      await scenario.untilBackends("web", patched);
      const took = performance.now() - applied;
      assert.ok(took < 1_000, `${took} ms in round ${round}`);
    }
    const { status } = await scenario.untilCondition("prices", "IngressPatched", "Reverted");
    assert.equal(status!.ready, false);
    assert.match(
      JSON.stringify(status),
      /puts the paths of Ingress .* back again and again, [4-6] times/,
    );
    assert.equal(await scenario.look("/api/x"), "api 402");
    // It is over when nothing has been put back for a minute.
    if (Deno.env.get("X402_TEST_LONG") === "1") await scenario.untilReady("prices", 70_000);
  },
);

clusterTest(
  "who puts a path back at once does not fill the cluster with Events",
  async (cluster) => {
    await using scenario = await Scenario.start(cluster);
    const { admin, namespace } = scenario;
    await scenario.applyIngress("web", written);
    await scenario.applyRoute("prices", { rules });
    for (let round = 0; round < 15; round++) {
      await scenario.untilBackends("web", patched);
      await scenario.applyIngress("web", written);
    }
    await scenario.untilBackends("web", patched);
    await scenario.untilCondition("prices", "IngressPatched", "Reverted");
    const events = await admin.list("Event", { namespace });
    const charged = events.filter(({ reason }) => reason === "PathsCharged");
    assert.ok(charged.length <= 5, `${charged.length} Events`);
  },
);

clusterTest(
  "the right to patch is taken away: the status has the server's words",
  async (cluster) => {
    await using scenario = await Scenario.start(cluster);
    const { admin, namespace, operator } = scenario;
    await scenario.applyIngress("web", written);
    await scenario.applyRoute("prices", { rules });
    await scenario.untilReady("prices");
    const giveBack = await forbidPatching(cluster, scenario, "Ingress", "ingresses");

    await scenario.applyIngress("docs", { "/docs": "site" });
    await scenario.applyRoute("docs", {
      ingressRef: { name: "docs" },
      rules: [postsCost("/docs/**")],
    });
    const { status } = await scenario.untilCondition("docs", "Ready", "PatchFailed");
    const { message } = status!.conditions!.find(({ type }) => type === "IngressPatched")!;
    assert.match(message, /ingresses.* "docs" is forbidden: User .* cannot patch resource/);
    assert.deepEqual(await scenario.backends("docs"), { "/docs": "site" });
    // One that cannot be put back holds its X402Route.
    await scenario.delete("X402Route", "prices");
    const failed = "write failed, it is tried again";
    await operator.logged(failed, ({ key }) => key === `ingresses ${namespace}/web`);
    const held = await admin.get("X402Route", { namespace, name: "prices" });
    assert.deepEqual(held.metadata.finalizers, ["x402.io/restore-ingress"]);

    await giveBack();
    await scenario.untilReady("docs", 40_000);
    await scenario.untilBackends("docs", { "/docs": throughGateway });
    await scenario.untilBackends("web", written, 40_000);
    await scenario.untilGone("X402Route", "prices");
  },
);

clusterTest("an X402Route that cannot be held patches nothing", async (cluster) => {
  await using scenario = await Scenario.start(cluster);
  // The way to the gateway is there: nothing else is waited for.
  await scenario.applyIngress("docs", { "/docs": "site" });
  await scenario.applyRoute("docs", docs);
  await scenario.untilReady("docs");
  const giveBack = await forbidPatching(cluster, scenario, "X402Route", "x402routes");

  await scenario.applyIngress("web", written);
  await scenario.applyRoute("prices", { rules });
  const { status } = await scenario.untilCondition("prices", "Ready", "PatchFailed");
  assert.match(JSON.stringify(status), /x402routes.*prices.* is forbidden/);
  assert.deepEqual(await scenario.backends("web"), written);
  await giveBack();
  await scenario.untilReady("prices", 40_000);
  await scenario.untilBackends("web", patched);
});

/** Takes a right from the operator; the function that is returned gives it back. */
async function forbidPatching(
  cluster: TestCluster,
  { admin, namespace, operatorNamespace }: Scenario,
  kind: Kind,
  resource: string,
): Promise<() => Promise<unknown>> {
  const role = { name: rolesName(operatorNamespace) };
  const { rules: rights } = await admin.get("ClusterRole", role);
  const index = rights!.findIndex(({ resources }) => resources?.includes(resource));
  const setVerbs = (value: string[]) =>
    admin.patch("ClusterRole", role, [{ op: "replace", path: `/rules/${index}/verbs`, value }]);
  await setVerbs(["list", "watch"]);

  const account = { namespace: operatorNamespace, name: "x402-k8s-operator" };
  const adminToken = await admin.token(account);
  using http = new KubeHttp({ ...cluster.access, adminToken });
  const path = `${collectionPath(kind, namespace)}/not-there`;
  const request = { body: {}, contentType: "application/merge-patch+json" };
  // The API server learns of the role by a watch of its own, and nothing tells when it has.
  for (let status = 404; status === 404;) {
    status = await http.request("PATCH", path, request)
      .then(() => 200, (error: ApiError) => error.status);
  }
  return () => setVerbs(rights![index]!.verbs);
}
