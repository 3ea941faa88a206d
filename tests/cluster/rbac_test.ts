/** The roles of deploy/rbac: an operator gets along with them, and uses all that they allow. */
import assert from "node:assert/strict";
import { permissions } from "../../controller/cluster/permissions.ts";
import { operatorAccountDir } from "./operator_account.ts";
import { type OperatorProcess, startOperator } from "./operator_process.ts";
import { setOperatorAddresses } from "./operator_service.ts";
import { ApiError, KubeHttp } from "./kube_http.ts";
import { collectionPath, type Kind } from "./kube_kinds.ts";
import { clusterTest, type TestCluster } from "./test_cluster.ts";

const samples = new URL("../../deploy/samples/", import.meta.url);

const flags = [
  ...["--allow-external-name", "--allow-facilitator-host", "localhost"],
  ...["--drain-routes", "1ms", "--retry-period", "200ms"],
];

for (const mode of ["all namespaces", "--watch-namespaces"] as const) {
  clusterTest(
    `the operator uses all rights of its roles, and needs no others: ${mode}`,
    async (cluster) => {
      const namespace = await cluster.createNamespace();
      const shop = await cluster.createNamespace();
      const watched = mode === "all namespaces" ? {} : { watchNamespaces: [shop] };
      await using operator = await startOperator(cluster, { namespace, flags, ...watched });
      await lifeOfRoute(cluster, operator, namespace, shop);
      const used = usedRights(await operator.metrics());
      assert.deepEqual(used.refused, []);
      assert.deepEqual(used.granted, allowedRights());
    },
  );
}

clusterTest("the roles of --watch-namespaces end at those namespaces", async (cluster) => {
  const namespace = await cluster.createNamespace();
  const shop = await cluster.createNamespace();
  const other = await cluster.createNamespace();
  const directory = await operatorAccountDir(cluster, namespace, [shop]);
  const adminToken = await Deno.readTextFile(`${directory}/token`);
  using account = new KubeHttp({ ...cluster.access, adminToken });
  const status = async (kind: Kind, scope?: string) => {
    try {
      await account.request("GET", collectionPath(kind, scope));
      return 200;
    } catch (error) {
      return (error as ApiError).status;
    }
  };
  const expected: readonly [Kind, string | undefined, number][] = [
    ["Ingress", shop, 200],
    ["Secret", shop, 403],
    ["Ingress", other, 403],
    ["Ingress", undefined, 403],
    ["Ingress", namespace, 403],
    ["Service", namespace, 200],
    ["Secret", namespace, 403],
    // Leases of others: only that of the operator's name is its own.
    ["Lease", namespace, 403],
  ];
  for (const [kind, scope, code] of expected) {
    assert.equal(await status(kind, scope), code, `${kind} in ${scope ?? "all namespaces"}`);
  }
});

/** Everything that an operator ever writes: made, changed and put away again. */
async function lifeOfRoute(
  cluster: TestCluster,
  operator: OperatorProcess,
  namespace: string,
  shop: string,
): Promise<void> {
  const { admin } = cluster;
  for await (const { name } of Deno.readDir(samples)) {
    await admin.applyYaml(await Deno.readTextFile(new URL(name, samples)), shop);
  }
  const route = { namespace: shop, name: "weather-payments" };
  await admin.waitUntil("X402Route", route, (it) => it?.status?.ready === true);
  await setOperatorAddresses(cluster, namespace, ["198.51.100.2"], operator.gatewayUrl);
  const written = (resource: string, verb: string) =>
    operator.logged("written", ({ key, verb: done }) => {
      return String(key).startsWith(`${resource} ${shop}/`) && done === verb;
    });
  await written("endpointslices", "patch");
  await admin.delete("X402Route", route);
  await written("services", "delete");
  await written("endpointslices", "delete");
  const lease = { namespace, name: "x402-k8s-operator" };
  let { metadata: { resourceVersion } } = await admin.get("Lease", lease);
  // Twice, so that the answer to the first renewal has been counted.
  for (let renewals = 0; renewals < 2; renewals++) {
    const isNew = (version?: string) => version !== undefined && version !== resourceVersion;
    const live = await admin.waitUntil("Lease", lease, (it) => isNew(it?.metadata.resourceVersion));
    resourceVersion = live!.metadata.resourceVersion;
  }
}

/** `verb resource`, sorted. */
function allowedRights(): string[] {
  const rights = permissions.flatMap(({ resource, verbs }) =>
    verbs.map((verb) => `${verb} ${resource}`)
  );
  return [...new Set(rights)].sort();
}

function usedRights(metrics: string): { granted: string[]; refused: string[] } {
  const sample = /^x402_kube_requests_total\{verb="(\w+)",resource="([\w/]+)",code="(\d+)"\}/gm;
  const requests = [...metrics.matchAll(sample)]
    .map(([, verb, resource, code]) => ({ right: `${verb} ${resource}`, code }));
  const refused = requests.filter(({ code }) => code === "403");
  const rights = (of: typeof requests) => [...new Set(of.map(({ right }) => right))].sort();
  return { granted: rights(requests), refused: rights(refused) };
}
