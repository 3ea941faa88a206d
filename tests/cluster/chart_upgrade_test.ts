/** What the chart refuses because of what is in the cluster already. */
import assert from "node:assert/strict";
import { KubeHttp } from "./kube_http.ts";
import { chart, helm, helmServerTest, releaseName } from "./helm_chart.ts";

helmServerTest(
  "the chart refuses a second release, a new name and volumes that cannot change",
  async (cluster) => {
    const namespace = await cluster.createNamespace();
    const access = ["--kubeconfig", cluster.access.kubeconfig, "--namespace", namespace];
    const run = async (...args: string[]) => (await helm(...args, ...access, "--no-hooks")).stderr;
    const install = ["--take-ownership", "--set", "ledger.type=memory"];
    assert.equal(await run("install", releaseName, chart, ...install), "");

    assert.match(
      await run("install", "other", chart, ...install, "--set", "fullnameOverride=other"),
      /has the release x402-k8s-operator of this chart already.*another namespace/,
    );
    assert.match(
      await run("upgrade", releaseName, chart, "--reuse-values", "--set", "fullnameOverride=new"),
      /would make new beside it, with an empty ledger/,
    );
    const toFile = ["upgrade", releaseName, chart, "--set", "ledger.type=sqlite"];
    assert.match(await run(...toFile), /first kubectl .* delete statefulset .* --cascade=orphan/);
    using http = new KubeHttp(cluster.access);
    const path = `/apis/apps/v1/namespaces/${namespace}/statefulsets/${releaseName}`;
    await http.request("DELETE", path);
    assert.equal(await run(...toFile), "");
  },
);
