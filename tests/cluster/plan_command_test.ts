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
  assert.doesNotMatch(after, /<- changes/);
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
