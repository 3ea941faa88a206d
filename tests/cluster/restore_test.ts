/** `restore` against a real API server, after an operator that is gone. */
import assert from "node:assert/strict";
import { restoreCluster } from "../../controller/cluster/restore_cluster.ts";
import { AdminClient } from "./admin_client.ts";
import { startOperator } from "./operator_process.ts";
import { setOperatorAddresses } from "./operator_service.ts";
import { type CommandOutput, runCommand } from "../support/run_command.ts";
import { clusterTest, serverTest, type TestCluster } from "./test_cluster.ts";

const annotation = "x402.io/original-backends";
const route = "weather-payments";

const flags = ["--allow-external-name", "--allow-facilitator-host", "localhost"];

/** A shop whose Ingress was patched by an operator that is not there any more. */
async function patchedShop(cluster: TestCluster, moreFlags: readonly string[] = []) {
  const { admin } = cluster;
  const namespace = await cluster.createNamespace();
  const shop = await cluster.createNamespace();
  await using operator = await startOperator(cluster, {
    namespace,
    watchNamespaces: [shop],
    flags: [...flags, ...moreFlags],
  });
  const samples = new URL("../../deploy/samples/", import.meta.url);
  for await (const { name } of Deno.readDir(samples)) {
    await admin.applyYaml(await Deno.readTextFile(new URL(name, samples)), shop);
  }
  const ref = { namespace: shop, name: route };
  await admin.waitUntil("X402Route", ref, (it) => it?.status?.ready === true);
  // With SIGTERM, so that the Lease is free at once.
  await operator.stop();
  return { namespace, shop };
}

function restore(cluster: TestCluster, ...args: string[]): Promise<CommandOutput> {
  return runCommand(["restore", "--kubeconfig", cluster.access.kubeconfig, ...args]);
}

async function ingressOf({ admin }: TestCluster, namespace: string) {
  const { spec, metadata } = await admin.get("Ingress", { namespace, name: "weather" });
  const [rule] = spec!.rules!;
  return {
    backend: rule!.http!.paths[0]!.backend,
    annotation: metadata.annotations?.[annotation],
  };
}

const original = { service: { name: "weather-api", port: { name: "http" } } };

clusterTest("restore --all puts back what a dead operator has left", async (cluster) => {
  const { admin } = cluster;
  const { shop } = await patchedShop(cluster);
  assert.equal((await ingressOf(cluster, shop)).backend.service?.name, "x402-gateway");

  const rehearsal = await restore(cluster, "--all", "--dry-run");
  assert.equal(rehearsal.code, 0, rehearsal.stderr);
  assert.equal((await ingressOf(cluster, shop)).backend.service?.name, "x402-gateway");

  const { code, stdout, stderr } = await restore(cluster, "--all");
  assert.equal(code, 0, stderr);
  const done = linesAbout(shop, stdout);
  assert.deepEqual(
    done.map((line) => line.split(":")[0]!.replace(/-ipv4-\d+/, "-ipv4")),
    [
      `ingresses ${shop}/weather patched`,
      `x402routes ${shop}/${route} patched`,
      `x402routes ${shop}/${route} patched`,
      `endpointslices ${shop}/x402-gateway-ipv4 deleted`,
      `services ${shop}/x402-gateway deleted`,
    ].sort(),
  );
  assert.deepEqual(
    linesAbout(shop, rehearsal.stdout).map((line) => line.replace("would be ", "")),
    done,
  );
  assert.deepEqual(await ingressOf(cluster, shop), { backend: original, annotation: undefined });
  const { metadata, status } = await admin.get("X402Route", { namespace: shop, name: route });
  assert.equal(metadata.finalizers, undefined);
  assert.deepEqual([status!.ready, status!.ingressPatched, status!.activeRoutes], [
    false,
    false,
    0,
  ]);
  assert.deepEqual(
    status!.conditions!.map(({ type, status, reason }) => `${type} ${status} ${reason}`),
    [
      "Accepted True Accepted",
      "ResolvedRefs True ResolvedRefs",
      "IngressPatched False Restored",
      "Ready False Restored",
    ],
  );
  const services = await admin.list("Service", { namespace: shop });
  assert.deepEqual(services.map(({ metadata }) => metadata.name), ["weather-api"]);
  assert.deepEqual(await admin.list("EndpointSlice", { namespace: shop }), []);

  const again = await restore(cluster, "--all");
  assert.equal(again.stdout, "Everything is as its authors wrote it.\n");
});

/** Sorted: the order in which objects are put back is nothing. */
function linesAbout(namespace: string, text: string): string[] {
  return text.split("\n").filter((line) => line.includes(` ${namespace}/`)).sort();
}

clusterTest("restore --namespace leaves the others alone", async (cluster) => {
  const { shop } = await patchedShop(cluster);
  const elsewhere = await cluster.createNamespace();
  const { code, stderr } = await restore(cluster, "-n", elsewhere);
  assert.equal(code, 0, stderr);
  assert.equal((await ingressOf(cluster, shop)).backend.service?.name, "x402-gateway");
  assert.equal((await restore(cluster, "--namespace", shop)).code, 0);
  assert.deepEqual((await ingressOf(cluster, shop)).backend, original);
});

clusterTest("restore knows the gateway under the name that it had then", async (cluster) => {
  const { shop } = await patchedShop(cluster, ["--gateway-service-name", "till"]);
  assert.equal((await ingressOf(cluster, shop)).backend.service?.name, "till");
  const { code, stderr } = await restore(cluster, "--all");
  assert.equal(code, 0, stderr);
  assert.deepEqual(await ingressOf(cluster, shop), { backend: original, annotation: undefined });
  const services = await cluster.admin.list("Service", { namespace: shop });
  assert.deepEqual(services.map(({ metadata }) => metadata.name), ["weather-api"]);
});

clusterTest("restore tells what it cannot know, and goes on when it is told", async (cluster) => {
  const { admin } = cluster;
  const { namespace, shop } = await patchedShop(cluster);
  const ingress = { namespace: shop, name: "weather" };
  await admin.patch("Ingress", ingress, { metadata: { annotations: { [annotation]: null } } });
  // The way to the gateway is out of date, and none of its business.
  await setOperatorAddresses(cluster, namespace, ["198.51.100.7"], "http://gateway:1234");
  const lost = await restore(cluster, "--all");
  assert.equal(lost.code, 1);
  assert.deepEqual(linesAbout(shop, lost.stdout).map((line) => line.split(":")[0]), [
    `x402routes ${shop}/${route} patched`,
  ]);
  assert.match(lost.stderr, /path "\/" of .* leads to the gateway, and it is not known where/);
  assert.match(lost.stderr, /write its backend into the Ingress, and run this again/);

  const path = "/spec/rules/0/http/paths/0/backend";
  await admin.patch("Ingress", ingress, [{ op: "replace", path, value: original }]);
  const { code, stderr } = await restore(cluster, "--all");
  assert.equal(code, 0, stderr);
  const services = await admin.list("Service", { namespace: shop });
  assert.deepEqual(services.map(({ metadata }) => metadata.name), ["weather-api"]);
});

clusterTest("restore refuses to work against a running operator", async (cluster) => {
  const { namespace, shop } = await patchedShop(cluster);
  await using operator = await startOperator(cluster, {
    namespace,
    watchNamespaces: [shop],
    flags,
  });
  await operator.logged("leading: this replica writes to the cluster");
  const { code, stdout, stderr } = await restore(cluster, "--all");
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, new RegExp(` its Lease ${namespace}/x402-k8s-operator \\d s ago and would`));
  assert.match(stderr, /; scale it down and wait, or use --take-lease$/m);
  assert.equal((await restore(cluster, "--all", "--dry-run")).code, 0);
  await operator.stop();
  assert.equal((await restore(cluster, "--all")).code, 0);
});

clusterTest("restore takes a Lease that was not renewed in time for dead", async (cluster) => {
  const namespace = await cluster.createNamespace();
  const lease = (renewedMsAgo: number) =>
    cluster.admin.apply({
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { namespace, name: "x402-k8s-operator" },
      spec: {
        holderIdentity: "crashed",
        leaseDurationSeconds: 15,
        renewTime: new Date(Date.now() - renewedMsAgo).toISOString().replace("Z", "000Z"),
      },
    });
  await lease(5_000);
  const early = await restore(cluster, "--namespace", namespace);
  assert.match(early.stderr, /^error: the operator crashed has renewed its Lease .* [5-9] s ago/);
  assert.equal((await restore(cluster, "--namespace", namespace, "--force")).code, 0);
  await lease(16_000);
  const { code, stderr } = await restore(cluster, "--namespace", namespace);
  assert.equal(code, 0, stderr);
});

/** Of every Ingress that is patched, somebody else is faster by a moment. */
class LateClient extends AdminClient {
  readonly conflicts: string[] = [];

  override async request<T>(...[method, path, options]: Parameters<AdminClient["request"]>) {
    if (method === "PATCH" && path.includes("/ingresses/") && !this.conflicts.includes(path)) {
      this.conflicts.push(path);
      const contentType = "application/merge-patch+json";
      const body = { metadata: { annotations: { edited: "yes" } } };
      await super.request(method, path, { body, contentType });
    }
    return await super.request<T>(method, path, options);
  }
}

clusterTest("restore looks again when somebody else was faster", async (cluster) => {
  const { namespace, shop } = await patchedShop(cluster);
  using client = new LateClient(cluster.access);
  const written: string[] = [];
  const outcome = await restoreCluster({
    client,
    namespaces: [shop],
    own: { namespace, name: "x402-k8s-operator" },
    serviceName: "x402-gateway",
    dryRun: false,
    report: ({ resource }) => written.push(resource),
    signal: new AbortController().signal,
  });
  assert.deepEqual(outcome, { failures: [], unknown: [] });
  assert.equal(client.conflicts.length, 1);
  assert.deepEqual(written.filter((resource) => resource === "ingresses"), ["ingresses"]);
  const { metadata } = await cluster.admin.get("Ingress", { namespace: shop, name: "weather" });
  assert.deepEqual(metadata.annotations, { edited: "yes" });
  assert.deepEqual((await ingressOf(cluster, shop)).backend, original);
});

clusterTest("restore goes past what the API server refuses, and tells it", async (cluster) => {
  const { admin } = cluster;
  const { shop } = await patchedShop(cluster);
  const account = { namespace: shop, name: "reader" };
  const dir = await cluster.serviceAccountDir(account);
  const rules = [
    { apiGroups: ["", "discovery.k8s.io"], resources: ["*"], verbs: ["*"] },
    { apiGroups: ["networking.k8s.io"], resources: ["ingresses"], verbs: ["list"] },
    { apiGroups: ["x402.io", "coordination.k8s.io"], resources: ["*"], verbs: ["list", "patch"] },
  ];
  const apiVersion = "rbac.authorization.k8s.io/v1";
  await admin.apply({ apiVersion, kind: "Role", metadata: account, rules });
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: account.name };
  const subjects = [{ kind: "ServiceAccount", ...account }];
  await admin.apply({ apiVersion, kind: "RoleBinding", metadata: account, roleRef, subjects });
  const { hostname, port } = new URL(cluster.access.url);
  const env = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
  const args = ["restore", "--service-account-dir", dir, "--namespace", shop];
  const { code, stderr } = await runCommand(args, { env });
  assert.equal(code, 1);
  assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
  assert.match(
    stderr,
    new RegExp(`ingresses ${shop}/weather: PATCH .* 403 .*cannot patch resource`),
  );
  assert.equal((await restore(cluster, "--all")).code, 0);
});

serverTest("restore works when the CRD is gone already", async (cluster) => {
  const { admin } = cluster;
  const { shop } = await patchedShop(cluster);
  const ref = { namespace: shop, name: route };
  await admin.patch("X402Route", ref, { metadata: { finalizers: null } });
  const crd = { name: "x402routes.x402.io" };
  await admin.delete("CustomResourceDefinition", crd);
  await admin.waitUntil("CustomResourceDefinition", crd, (it) => it === undefined);
  const { code, stderr } = await restore(cluster, "--all");
  assert.equal(code, 0, stderr);
  assert.deepEqual(await ingressOf(cluster, shop), { backend: original, annotation: undefined });
});
