import assert from "node:assert/strict";
import { startOperator } from "./operator_process.ts";
import { clusterTest } from "./test_cluster.ts";

clusterTest("--shutdown-delay does not keep the Lease from the others", async (cluster) => {
  const namespace = await cluster.createNamespace();
  const flags = ["--shutdown-delay", "1h"];
  await using operator = await startOperator(cluster, { namespace, flags });
  await operator.logged("leading: this replica writes to the cluster");
  operator.kill("SIGTERM");
  const lease = { namespace, name: "x402-k8s-operator" };
  await cluster.admin.waitUntil("Lease", lease, (it) => it?.spec?.holderIdentity === "");
  const ready = await fetch(`${operator.probeUrl}/readyz`);
  await ready.body?.cancel();
  assert.equal(ready.status, 503);
  const reply = await fetch(operator.gatewayUrl);
  await reply.body?.cancel();
  assert.ok(!operator.log().some(({ msg }) => msg === "draining"), "it listens on");
  assert.equal(await operator.stop(), 0);
});
