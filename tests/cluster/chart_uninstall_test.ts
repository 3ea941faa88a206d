/**
 * `helm install` and `helm uninstall` on a real API server, and between them what a kubelet would
 * run: the operator, and the hook before the uninstall, with the arguments and the ServiceAccount
 * that the chart gives them.
 */
import assert from "node:assert/strict";
import { runCommand } from "../support/run_command.ts";
import { chart, helm, helmServerTest, manifestsOf, releaseName } from "./helm_chart.ts";
import { type OperatorProcess, startOperator } from "./operator_process.ts";
import type { TestCluster } from "./test_cluster.ts";

const samples = new URL("../../deploy/samples/", import.meta.url);
const route = "weather-payments";

/** Those of the samples, and an election that is over sooner than that of real replicas. */
const values = [
  ...["allowExternalName=true", "facilitator.allowedHosts={localhost}", "ledger.type=memory"],
  "extraArgs={--lease-duration=2s,--renew-deadline=1s,--retry-period=200ms}",
].flatMap((value) => ["--set", value]);

/** A release in the cluster, and the samples in a namespace of their own. */
class Release {
  private constructor(
    private readonly cluster: TestCluster,
    readonly namespace: string,
    readonly shop: string,
  ) {}

  static async install(cluster: TestCluster, shop: string, more: string[] = []): Promise<Release> {
    const release = new Release(cluster, await cluster.createNamespace(), shop);
    // Nothing here completes a Job or makes a pod ready.
    await release.helm("install", chart, "--no-hooks", "--take-ownership", ...values, ...more);
    return release;
  }

  async helm(verb: string, ...args: string[]): Promise<string> {
    const { kubeconfig } = this.cluster.access;
    const scope = ["--namespace", this.namespace, "--kubeconfig", kubeconfig];
    const words = [...verb.split(" "), releaseName, ...args, ...scope];
    const { code, stdout, stderr } = await helm(...words);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  /** The operator as the StatefulSet's pod would run it; resolves when it has patched the sample. */
  async startOperator(): Promise<OperatorProcess> {
    const { cluster, namespace, shop } = this;
    const [, ...flags] = this.#argsOf("StatefulSet", await this.helm("get manifest"));
    const operator = await startOperator(cluster, {
      namespace,
      kubeconfig: await this.#kubeconfig(),
      flags: [...flags, "--shutdown-delay=0s", "--log-level=debug"],
    });
    const ref = { namespace: shop, name: route };
    await cluster.admin.waitUntil("X402Route", ref, (it) => it?.status?.ready === true, 20_000);
    assert.equal(await backendOf(cluster, shop), "x402-gateway");
    return operator;
  }

  /** Runs the hook's container to its end, with the credentials that the kubelet mounts. */
  async runHook() {
    const hooks = await this.helm("get hooks");
    const directory = await this.#accountDir();
    const { hostname, port } = new URL(this.cluster.access.url);
    return await runCommand(
      [...this.#argsOf("Job", hooks), "--service-account-dir", directory],
      { env: { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port } },
    );
  }

  #argsOf(kind: string, manifests: string): string[] {
    return manifestsOf(manifests).find((it) => it.kind === kind)!
      .spec.template.spec.containers[0].args;
  }

  #accountDir(): Promise<string> {
    return this.cluster.serviceAccountDir({ namespace: this.namespace, name: releaseName });
  }

  async #kubeconfig(): Promise<string> {
    const directory = await this.#accountDir();
    const token = await Deno.readTextFile(`${directory}/token`);
    const config = JSON.parse(await Deno.readTextFile(this.cluster.access.kubeconfig));
    config.users[0].user = { token };
    await Deno.writeTextFile(`${directory}/kubeconfig`, JSON.stringify(config));
    return `${directory}/kubeconfig`;
  }
}

async function applySamples({ admin }: TestCluster, namespace: string): Promise<void> {
  for await (const { name } of Deno.readDir(samples)) {
    await admin.applyYaml(await Deno.readTextFile(new URL(name, samples)), namespace);
  }
}

async function backendOf({ admin }: TestCluster, shop: string): Promise<string> {
  const { spec } = await admin.get("Ingress", { namespace: shop, name: "weather" });
  return spec!.rules![0]!.http!.paths[0]!.backend.service!.name;
}

/** The Ingress is its author's, and nothing waits for an operator that is gone. */
async function assertRestored(cluster: TestCluster, shop: string): Promise<void> {
  assert.equal(await backendOf(cluster, shop), "weather-api");
  const { metadata } = await cluster.admin.get("X402Route", { namespace: shop, name: route });
  assert.equal(metadata.finalizers, undefined);
}

helmServerTest("helm uninstall: the hook against an operator that runs", async (cluster) => {
  const { admin } = cluster;
  const shop = await cluster.createNamespace();
  await applySamples(cluster, shop);
  const release = await Release.install(cluster, shop);
  const { namespace } = release;
  await using operator = await release.startOperator();

  const { code, stdout, stderr } = await release.runHook();
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^Took the Lease from .*\n[^]*Everything is as its authors wrote it\.\n$/);
  await assertRestored(cluster, shop);

  // Helm has not come to the workload yet, and somebody edits the Ingress.
  const plans = () => operator.log().filter(({ msg }) => msg === "routes in force").length;
  const before = plans();
  const op = { op: "replace", path: "/spec/rules/0/host", value: "other.example.com" };
  await admin.patch("Ingress", { namespace: shop, name: "weather" }, [op]);
  await operator.logged("routes in force", () => plans() > before);
  await assertRestored(cluster, shop);

  await release.helm("uninstall", "--no-hooks");
  assert.equal(await operator.stop(), 0);
  await assertRestored(cluster, shop);
  assert.deepEqual(await admin.list("ServiceAccount", { namespace }), []);
  assert.deepEqual(await admin.list("ClusterRole", { name: releaseName }), []);
  assert.deepEqual(await admin.list("Role", { namespace }), []);

  const crd = await admin.get("CustomResourceDefinition", { name: "x402routes.x402.io" });
  assert.equal(crd.metadata.annotations?.["helm.sh/resource-policy"], "keep");
  await admin.delete("X402Route", { namespace: shop, name: route });
  assert.deepEqual(await admin.list("X402Route", { namespace: shop }), []);
});

helmServerTest("helm uninstall: the hook when the operator is down", async (cluster) => {
  const { admin } = cluster;
  const shop = await cluster.createNamespace();
  await applySamples(cluster, shop);
  // By Roles per namespace, and without keeping the CRD.
  const narrow = ["--set", `watchNamespaces={${shop}}`, "--set", "crds.keep=false"];
  const release = await Release.install(cluster, shop, narrow);
  const operator = await release.startOperator();
  await operator[Symbol.asyncDispose]();

  const { code, stdout, stderr } = await release.runHook();
  assert.equal(code, 0, stderr);
  // It was killed, and nobody knows that: it might still hold the Lease.
  assert.match(stdout, /^Took the Lease from /);
  await assertRestored(cluster, shop);

  // On the way a StatefulSet became a Deployment.
  const postgres = "ledger.type=postgres,ledger.postgres.existingSecret.name=db,replicas=2";
  await release.helm("upgrade", chart, "--no-hooks", "--reuse-values", "--set", postgres);
  const deployments = await admin.list("Deployment", { namespace: release.namespace });
  assert.deepEqual(deployments.map(({ spec }) => spec?.replicas), [2]);

  await release.helm("uninstall", "--no-hooks");
  assert.deepEqual(await admin.list("Deployment", { namespace: release.namespace }), []);
  const crd = { name: "x402routes.x402.io" };
  await admin.waitUntil("CustomResourceDefinition", crd, (it) => it === undefined);
  assert.equal(await backendOf(cluster, shop), "weather-api");
});
