/** Several replicas: all serve, one writes, and another takes over from it. */
import assert from "node:assert/strict";
import { postsCost, throughGateway } from "./operator_manifests.ts";
import type { OperatorProcess } from "./operator_process.ts";
import { Scenario, shortLease } from "./operator_scenario.ts";
import { clusterTest, type TestCluster } from "./test_cluster.ts";

const leading = "leading: this replica writes to the cluster";

/** The first one leads; what is below `/api` of the Ingress `web` is charged for. */
async function startReplicas(cluster: TestCluster) {
  const scenario = await Scenario.start(cluster, { flags: shortLease });
  const leader = scenario.operator;
  try {
    await leader.logged(leading);
    const follower = await scenario.startOperator({ flags: shortLease });
    await scenario.applyIngress("web", { "/api": "api", "/api/v2": "site" });
    await scenario.applyRoute("prices", { rules: [postsCost("/api/v1")] });
    await scenario.untilReady("prices");
    return {
      scenario,
      leader,
      follower,
      [Symbol.asyncDispose]: () => scenario[Symbol.asyncDispose](),
    };
  } catch (error) {
    await scenario[Symbol.asyncDispose]();
    throw error;
  }
}

/** Something that has to be written: `/api/v2` is charged for too. */
async function changeRule(scenario: Scenario): Promise<void> {
  await scenario.applyRoute("prices", { rules: [postsCost("/api/**")] });
}

/** Resolves with the resourceVersion that `changeRule` leads to. */
async function untilWritten(scenario: Scenario): Promise<string> {
  const paths = { "/api": throughGateway, "/api/v2": throughGateway };
  const { metadata } = await scenario.untilBackends("web", paths);
  return metadata.resourceVersion;
}

async function writes(operator: OperatorProcess): Promise<number> {
  return await operator.metric("x402_cluster_writes_total");
}

clusterTest("two replicas serve at once, and only one of them writes", async (cluster) => {
  await using replicas = await startReplicas(cluster);
  const { scenario, leader, follower } = replicas;
  await changeRule(scenario);
  await untilWritten(scenario);
  await scenario.untilReady("prices");
  for (const operator of [leader, follower]) {
    await scenario.untilLook("/api/v1", "api 402", operator);
    await scenario.untilLook("/api/v2", "site 402", operator);
  }
  assert.equal(await leader.metric("x402_leader"), 1);
  assert.equal(await follower.metric("x402_leader"), 0);
  assert.ok(await writes(leader) > 0);
  assert.equal(await writes(follower), 0);
});

clusterTest("the leader is killed: the other writes when the Lease is over", async (cluster) => {
  await using replicas = await startReplicas(cluster);
  const { scenario, leader, follower } = replicas;
  await scenario.untilLook("/api/v1", "api 402", follower);
  const looking = scenario.keepLooking("/api/v1", "api 402", follower);
  leader.kill("SIGKILL");
  const killed = performance.now();
  await changeRule(scenario);
  await untilWritten(scenario);
  const took = performance.now() - killed;
  await scenario.untilReady("prices");
  assert.ok(await looking.end() > 0);
  assert.ok(took < 5_000, `${took} ms with a Lease of 3 s`);
  assert.equal(await follower.metric("x402_leader"), 1);
});

clusterTest("the leader is told to end: the other writes at once", async (cluster) => {
  await using replicas = await startReplicas(cluster);
  const { scenario, leader, follower } = replicas;
  await scenario.untilLook("/api/v1", "api 402", follower);
  const looking = scenario.keepLooking("/api/v1", "api 402", follower);
  leader.kill("SIGTERM");
  const told = performance.now();
  await changeRule(scenario);
  await untilWritten(scenario);
  const took = performance.now() - told;
  assert.ok(await looking.end() > 0);
  assert.ok(took < 1_000, `${took} ms`);
});

clusterTest("a leader that was suspended writes nothing before it leads again", async (cluster) => {
  await using replicas = await startReplicas(cluster);
  const { scenario, leader, follower } = replicas;
  const { admin, operatorNamespace } = scenario;
  leader.kill("SIGSTOP");
  await follower.logged(leading);
  // Now nobody writes, and what is to be written waits for the first one to wake up.
  follower.kill("SIGSTOP");
  await changeRule(scenario);
  const lease = { namespace: operatorNamespace, name: "x402-k8s-operator" };
  const holder = (await admin.get("Lease", lease)).spec!.holderIdentity;
  const taken = admin.waitUntil("Lease", lease, (it) => it?.spec?.holderIdentity !== holder);
  const written = untilWritten(scenario);
  leader.kill("SIGCONT");
  const version = BigInt((await taken)!.metadata.resourceVersion);
  assert.ok(BigInt(await written) > version, "it was written before the Lease was taken");
});
