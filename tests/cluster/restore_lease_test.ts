/** `restore --take-lease`: against operators that run, and that are to stay quiet. */
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { RestoreLease } from "../../controller/cluster/restore_lease.ts";
import { runCommand } from "../support/run_command.ts";
import { AdminClient } from "./admin_client.ts";
import { type OperatorProcess, startOperator } from "./operator_process.ts";
import { clusterTest, type TestCluster } from "./test_cluster.ts";

const samples = new URL("../../deploy/samples/", import.meta.url);
const leaseName = "x402-k8s-operator";
const route = "weather-payments";

const flags = [
  ...["--allow-external-name", "--allow-facilitator-host", "localhost"],
  ...["--lease-duration", "2s", "--renew-deadline", "1s", "--retry-period", "200ms"],
];

function restore({ access }: TestCluster, namespace: string) {
  const args = ["--operator-namespace", namespace, "--kubeconfig", access.kubeconfig];
  return runCommand(["restore", "--all", "--take-lease", ...args]);
}

/** The samples in a namespace that an operator, which leads, has patched. */
async function patchedShop(cluster: TestCluster) {
  const { admin } = cluster;
  const namespace = await cluster.createNamespace();
  const shop = await cluster.createNamespace();
  const start = () => startOperator(cluster, { namespace, watchNamespaces: [shop], flags });
  const operator = await start();
  for await (const { name } of Deno.readDir(samples)) {
    await admin.applyYaml(await Deno.readTextFile(new URL(name, samples)), shop);
  }
  const ref = { namespace: shop, name: route };
  await admin.waitUntil("X402Route", ref, (it) => it?.status?.ready === true);
  return { namespace, shop, operator, start };
}

async function backendOf({ admin }: TestCluster, shop: string) {
  const { spec } = await admin.get("Ingress", { namespace: shop, name: "weather" });
  return spec!.rules![0]!.http!.paths[0]!.backend.service!.name;
}

/** Changes the Ingress; resolves when the operator has made a plan that knows of it. */
async function replanned({ admin }: TestCluster, shop: string, operator: OperatorProcess) {
  const plans = () => operator.log().filter(({ msg }) => msg === "routes in force").length;
  const before = plans();
  const path = { path: "/more", pathType: "Prefix", backend: { service: backend } };
  const op = { op: "add", path: "/spec/rules/0/http/paths/-", value: path };
  await admin.patch("Ingress", { namespace: shop, name: "weather" }, [op]);
  await operator.logged("routes in force", () => plans() > before);
}

const backend = { name: "weather-api", port: { name: "http" } };

clusterTest(
  "restore --take-lease: replicas that go on running do not patch again",
  async (cluster) => {
    const { admin } = cluster;
    const { namespace, shop, ...others } = await patchedShop(cluster);
    await using operator = others.operator;
    await using second = await others.start();
    await second.waitUntilReady();

    const { code, stdout, stderr } = await restore(cluster, namespace);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Took the Lease from .+; waiting 2 s until it can write no more\.$/m);
    await operator.logged("not leading any more", undefined, 1);
    assert.equal(await backendOf(cluster, shop), "weather-api");
    const { metadata } = await admin.get("X402Route", { namespace: shop, name: route });
    assert.equal(metadata.finalizers, undefined);

    await Promise.all([operator, second].map((it) => replanned(cluster, shop, it)));
    // Longer than a Lease of theirs, which they would have taken if it were one.
    await pause(3_000);
    assert.equal(await backendOf(cluster, shop), "weather-api");
    const live = await admin.get("X402Route", { namespace: shop, name: route });
    assert.equal(live.metadata.finalizers, undefined);

    await operator.stop();
    await second.stop();
    const lease = await admin.get("Lease", { namespace, name: leaseName });
    assert.match(lease.spec!.holderIdentity!, /^restore_/);
    // Nobody has to take a finalizer away.
    await admin.delete("X402Route", { namespace: shop, name: route });
    assert.deepEqual(await admin.list("X402Route", { namespace: shop }), []);
  },
);

clusterTest("restore --take-lease: an operator that starts meanwhile waits", async (cluster) => {
  const { namespace, shop, operator, start } = await patchedShop(cluster);
  await operator.stop();
  const { code, stdout, stderr } = await restore(cluster, namespace);
  assert.equal(code, 0, stderr);
  // It was given back, so there is nobody to wait for.
  assert.doesNotMatch(stdout, /Took the Lease/);
  assert.equal(await backendOf(cluster, shop), "weather-api");
  await using late = await start();
  await late.logged("another replica leads");
  await replanned(cluster, shop, late);
  await pause(2_500);
  assert.equal(await backendOf(cluster, shop), "weather-api");
});

clusterTest("restore --take-lease: a leader that was suspended writes no more", async (cluster) => {
  const { namespace, shop, ...others } = await patchedShop(cluster);
  await using operator = others.operator;
  operator.kill("SIGSTOP");
  const { code, stderr } = await restore(cluster, namespace);
  assert.equal(code, 0, stderr);
  operator.kill("SIGCONT");
  await operator.logged("not leading any more");
  await replanned(cluster, shop, operator);
  assert.equal(await backendOf(cluster, shop), "weather-api");
});

clusterTest("restore --take-lease: where it fails, the operator goes on", async (cluster) => {
  const { admin } = cluster;
  const { namespace, shop, ...others } = await patchedShop(cluster);
  await using operator = others.operator;
  const forget = { metadata: { annotations: { "x402.io/original-backends": null } } };
  operator.kill("SIGSTOP");
  await admin.patch("Ingress", { namespace: shop, name: "weather" }, forget);
  const { code, stderr } = await restore(cluster, namespace);
  assert.equal(code, 1);
  assert.match(stderr, /it is not known where it led before/);
  const lease = await admin.get("Lease", { namespace, name: leaseName });
  assert.equal(lease.spec!.holderIdentity, "");
  operator.kill("SIGCONT");
  // It remembers the originals.
  const ref = { namespace: shop, name: route };
  await admin.waitUntil("X402Route", ref, (it) => it?.status?.ready === true);
  assert.equal(await backendOf(cluster, shop), "x402-gateway");
});

clusterTest(
  "a Lease that restore holds is renewed, and is free when that ends",
  async (cluster) => {
    const { namespace, ...others } = await patchedShop(cluster);
    await using operator = others.operator;
    using client = new AdminClient(cluster.access);
    const options = { client, namespace, name: leaseName, holdMs: 2_000 };
    const lease = await RestoreLease.take(options, () => {});
    await operator.logged("not leading any more");
    // Twice the time that it is held for without a renewal.
    await pause(4_000);
    const terms = () =>
      operator.log().filter(({ msg }) => String(msg).startsWith("leading:")).length;
    assert.equal(terms(), 1);
    await lease.keep();
    await operator.logged("leading: this replica writes to the cluster", () => terms() > 1);
  },
);

clusterTest("restore tells when somebody has taken its Lease meanwhile", async (cluster) => {
  const namespace = await cluster.createNamespace();
  using client = new AdminClient(cluster.access);
  const options = { client, namespace, name: leaseName };
  const lease = await RestoreLease.take(options, () => {});
  const holder = { spec: { holderIdentity: "operator-1" } };
  await cluster.admin.patch("Lease", { namespace, name: leaseName }, holder);
  await assert.rejects(lease.keep(), /^Error: operator-1 has taken the Lease meanwhile/);
});

clusterTest(
  "restore waits for as long as the holder before it may still write",
  async (cluster) => {
    const namespace = await cluster.createNamespace();
    using client = new AdminClient(cluster.access);
    const options = { client, namespace, name: leaseName };
    const take = async () => {
      const asked = performance.now();
      const waits: unknown[] = [];
      const lease = await RestoreLease.take(options, (...wait) => waits.push(wait));
      return { lease, waits, ms: performance.now() - asked };
    };
    const first = await take();
    assert.deepEqual(first.waits, []);
    await first.lease.release();
    const second = await take();
    assert.deepEqual(second.waits, []);
    await second.lease.keep();

    const spec = { holderIdentity: "operator-1", leaseDurationSeconds: 2 };
    await cluster.admin.patch("Lease", { namespace, name: leaseName }, { spec });
    const third = await take();
    assert.deepEqual(third.waits, [["operator-1", 2_000]]);
    assert.ok(third.ms >= 2_000, `${third.ms} ms`);
    await third.lease.release();
  },
);
