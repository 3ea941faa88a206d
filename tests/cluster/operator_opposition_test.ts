/** Somebody else undoes what the operator writes, or the API server refuses it. */
import assert from "node:assert/strict";
import { rolesName } from "./operator_account.ts";
import { postsCost, throughGateway } from "./operator_manifests.ts";
import { ApiError, KubeHttp } from "./kube_http.ts";
import { collectionPath } from "./kube_kinds.ts";
import { Scenario } from "./operator_scenario.ts";
import { clusterTest, type TestCluster } from "./test_cluster.ts";

const rules = [postsCost("/api/**")];
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
  "the right to patch is taken away: the status has the server's words",
  async (cluster) => {
    await using scenario = await Scenario.start(cluster);
    const { admin, namespace, operator, operatorNamespace } = scenario;
    await scenario.applyIngress("web", written);
    await scenario.applyRoute("prices", { rules });
    await scenario.untilReady("prices");
    const role = { name: rolesName(operatorNamespace) };
    const { rules: rights } = await admin.get("ClusterRole", role);
    const index = rights!.findIndex(({ resources }) => resources?.includes("ingresses"));
    const setVerbs = (value: string[]) =>
      admin.patch("ClusterRole", role, [{ op: "replace", path: `/rules/${index}/verbs`, value }]);
    await setVerbs(["list", "watch"]);
    await untilForbidden(cluster, scenario);

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

    await setVerbs(rights![index]!.verbs);
    await scenario.untilReady("docs", 40_000);
    await scenario.untilBackends("docs", { "/docs": throughGateway });
    await scenario.untilBackends("web", written, 40_000);
    await scenario.untilGone("X402Route", "prices");
  },
);

/** The API server learns of a changed role by a watch of its own, and nothing tells when it has. */
async function untilForbidden(
  cluster: TestCluster,
  { admin, ...scenario }: Scenario,
): Promise<void> {
  const namespace = scenario.operatorNamespace;
  const adminToken = await admin.token({ namespace, name: "x402-k8s-operator" });
  using http = new KubeHttp({ ...cluster.access, adminToken });
  const path = `${collectionPath("Ingress", scenario.namespace)}/not-there`;
  const contentType = "application/merge-patch+json";
  for (let status = 404; status === 404;) {
    const reply = http.request("PATCH", path, { body: {}, contentType });
    status = await reply.then(() => 200, (error: ApiError) => error.status);
  }
}
