/** `plan --cluster` says what an operator then does. */
import assert from "node:assert/strict";
import { runCommand } from "../support/run_command.ts";
import { startOperator } from "./operator_process.ts";
import { clusterTest, type TestCluster } from "./test_cluster.ts";

const samples = new URL("../../deploy/samples/", import.meta.url);
const route = "weather-payments";
const flags = ["--allow-external-name", "--allow-facilitator-host", "localhost"];

interface Write {
  readonly verb: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

async function plan(cluster: TestCluster, ...args: string[]) {
  const access = ["--kubeconfig", cluster.access.kubeconfig];
  const { code, stdout, stderr } = await runCommand(["plan", ...access, ...flags, ...args]);
  assert.equal(code, 0, stdout + stderr);
  return stdout;
}

async function applySamples(
  { admin }: TestCluster,
  namespace: string,
  names = ["service.yaml", "ingress.yaml", "x402route.yaml"],
): Promise<void> {
  for (const name of names) {
    await admin.applyYaml(await Deno.readTextFile(new URL(name, samples)), namespace);
  }
}

clusterTest("plan --cluster foretells every write of the operator", async (cluster) => {
  const { admin } = cluster;
  const namespace = await cluster.createNamespace();
  const shop = await cluster.createNamespace();
  await using operator = await startOperator(cluster, {
    namespace,
    watchNamespaces: [shop],
    flags,
  });
  await operator.waitUntilReady();
  // Where the operator runs is known from its Lease.
  await operator.logged("leading: this replica writes to the cluster");
  const scope = ["--watch-namespaces", shop];
  const files = ["-f", samples.pathname, "-n", shop];

  await applySamples(cluster, shop, ["service.yaml", "ingress.yaml"]);
  const before = await plan(cluster, ...scope, ...files);
  assert.match(before, /<- changes, now straight there/);
  assert.match(before, /The operator would write:\n {2}create {2}services /);
  const planned = JSON.parse(await plan(cluster, ...scope, ...files, "-o", "json"));
  const names = (await admin.list("Service", { namespace: shop })).map((it) => it.metadata.name);
  assert.deepEqual(names, ["weather-api"], "nothing was written");

  await applySamples(cluster, shop);
  const ref = { namespace: shop, name: route };
  await admin.waitUntil("X402Route", ref, (it) => it?.status?.ready === true);
  const written = operator.log()
    .filter(({ msg, key }) => msg === "written" && !`${key}`.includes("/status"))
    .map(({ verb, key }) => `${verb} ${key}`);
  const foretold = planned.writes.map(({ verb, resource, namespace, name }: Write) =>
    `${verb} ${resource} ${namespace}/${name}`
  );
  assert.deepEqual(foretold.sort(), written.sort());

  const after = await plan(cluster, ...scope, ...files);
  assert.match(after, /^The same without these manifests, .*: 1 Ingress, 1 X402Route\.$/m);
  assert.doesNotMatch(after, /^Ingress /m);
  const all = await plan(cluster, ...scope, ...files, "--all");
  assert.match(all, /^Ingress /m);
  assert.doesNotMatch(all, /<- changes|^The same/m);
  assert.match(
    after,
    / patch +ingresses .*1 path leads to the gateway/,
    "put back by its manifest",
  );
  assert.match(
    await plan(cluster, ...scope),
    /\(Prefix\) {2}through the gateway to weather-api:http\n/,
  );
  assert.match(await plan(cluster, ...scope), /\nThe operator would write nothing\.\n/);
});

clusterTest("plan --cluster tells what is wrong there, and blames no manifest", async (cluster) => {
  const { admin } = cluster;
  const shop = await cluster.createNamespace();
  await applySamples(cluster, shop);
  // A cluster in which no operator is installed yet.
  const own = await cluster.createNamespace();
  const scope = ["--watch-namespaces", shop, "--operator-namespace", own];
  const before = await plan(cluster, ...scope);
  assert.match(before, new RegExp(`^note: there is no operator: its Service ${own}/`, "m"));
  assert.match(before, / patch +ingresses .*1 path leads to the gateway/);

  await admin.delete("Ingress", { namespace: shop, name: "weather" });
  const text = await plan(cluster, ...scope);
  assert.match(text, new RegExp(`^error: X402Route ${shop}/${route}: .*does not exist\\.$`, "m"));
});

clusterTest("plan -f --cluster shows what the files change, and no more", async (cluster) => {
  const shop = await cluster.createNamespace();
  await applySamples(cluster, shop);
  const own = await cluster.createNamespace();
  const stdin = (await Deno.readTextFile(new URL("x402route.yaml", samples)))
    .replace("name: weather\n", "name: other\n").replace("weather-payments", "other-payments");
  const args = ["--watch-namespaces", shop, "--operator-namespace", own, "-n", shop, "-f", "-"];
  const access = ["--kubeconfig", cluster.access.kubeconfig];
  const { stdout } = await runCommand(["plan", ...access, ...flags, ...args], { stdin });
  assert.match(stdout, new RegExp(`^X402Route ${shop}/other-payments: `, "m"));
  assert.doesNotMatch(stdout, new RegExp(`X402Route ${shop}/${route}`), "nor its warnings");
  assert.match(stdout, /^The same without .*: 1 Ingress, 1 X402Route\.$/m);
  assert.match(stdout, /^note: there is no operator/m);
  assert.doesNotMatch(stdout, /flags of the operator/);
});

clusterTest("plan needs no permission on Leases, and says what it cannot know", async (cluster) => {
  const { admin } = cluster;
  const shop = await cluster.createNamespace();
  const account = { namespace: shop, name: "planner" };
  const dir = await cluster.serviceAccountDir(account);
  const apiGroups = ["", "discovery.k8s.io", "networking.k8s.io", "x402.io"];
  const rules = [{ apiGroups, resources: ["*"], verbs: ["list"] }];
  const apiVersion = "rbac.authorization.k8s.io/v1";
  await admin.apply({ apiVersion, kind: "Role", metadata: account, rules });
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: account.name };
  const subjects = [{ kind: "ServiceAccount", ...account }];
  await admin.apply({ apiVersion, kind: "RoleBinding", metadata: account, roleRef, subjects });
  const { hostname, port } = new URL(cluster.access.url);
  const env = {
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: port,
    X402_SERVICE_ACCOUNT_DIR: dir,
  };
  const scoped = await runCommand(["plan", "--watch-namespaces", shop], { env });
  assert.equal(scoped.code, 0, scoped.stderr);
  assert.match(scoped.stdout, new RegExp(`there is no operator: its Service ${shop}/`));
  assert.doesNotMatch(scoped.stdout, /flags of the operator/);
  const blind = await runCommand(["plan", "--kubeconfig", cluster.access.kubeconfig]);
  assert.match(blind.stdout, /^note: the flags of the operator cannot be known here/m);
});
