/** The API server goes away and comes back: the gateway serves on, and catches up. */
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { installCrd } from "./install_crd.ts";
import { eventually } from "./operator_look.ts";
import { postsCost } from "./operator_manifests.ts";
import { Scenario, shortLease } from "./operator_scenario.ts";
import { serverTest, type TestCluster } from "./test_cluster.ts";

/** Milliseconds that the API server is away: a minute in a long run. */
const outage = Deno.env.get("X402_TEST_LONG") === "1" ? 60_000 : 12_000;

/** Milliseconds in which it has to be noticed that the API server is back: twice the longest backoff. */
const catchUp = 10_000;

/** What is below `/api` of the Ingress `web` is charged for. */
async function start(cluster: TestCluster): Promise<Scenario> {
  const scenario = await Scenario.start(cluster, { flags: shortLease });
  await scenario.applyIngress("web", { "/api": "api", "/docs": "site" });
  await scenario.applyRoute("prices", { rules: [postsCost("/api/**")] });
  await scenario.untilReady("prices");
  await scenario.untilLook("/api/x", "api 402");
  return scenario;
}

/** A change of prices comes into force, and all is written that follows from it. */
async function assertCatchesUp(scenario: Scenario): Promise<void> {
  await scenario.applyRoute("prices", { rules: [postsCost("/docs/**")] });
  const docs = () => scenario.look("/docs/x");
  await eventually(docs, "site 402", catchUp);
  await scenario.untilReady("prices", catchUp);
}

async function readiness({ operator }: Scenario): Promise<number> {
  const reply = await fetch(`${operator.probeUrl}/readyz`);
  await reply.body?.cancel();
  return reply.status;
}

const staleness = ({ operator }: Scenario) => operator.metric("x402_snapshot_staleness_seconds");

serverTest("no request fails while the API server is stopped", async (cluster, server) => {
  await using scenario = await start(cluster);
  assert.equal(await staleness(scenario), 0);
  const looking = scenario.keepLooking("/api/x", "api 402");
  await server.stopApiServer();
  await pause(outage);
  assert.equal(await readiness(scenario), 200);
  const seconds = await staleness(scenario);
  assert.ok(seconds > outage / 1000 - 1, `${seconds} s`);
  await server.startApiServer();
  await installCrd(cluster.admin); // is there, but not served at once
  await eventually(() => staleness(scenario), 0, catchUp);
  assert.ok(await looking.end() > 0);
  await assertCatchesUp(scenario);
});

serverTest("no request fails while the API server does not answer", async (cluster, server) => {
  await using scenario = await start(cluster);
  const looking = scenario.keepLooking("/api/x", "api 402");
  await server.suspend();
  await scenario.operator.logged("not leading any more");
  assert.equal(await readiness(scenario), 200);
  await pause(outage / 3);
  server.resume();
  await scenario.applyRoute("prices", { rules: [postsCost("/docs/**"), postsCost("/api/**")] });
  await eventually(() => scenario.look("/docs/x"), "site 402", catchUp);
  assert.ok(await looking.end() > 0);
  await scenario.untilReady("prices", catchUp);
});

serverTest("what was missed before a compaction (410) is found", async (cluster, server) => {
  await using scenario = await start(cluster);
  const { operator } = scenario;
  operator.kill("SIGSTOP");
  await scenario.delete("X402Route", "prices");
  await scenario.applyIngress("web", { "/api": "api", "/docs": "site", "/new": "site" });
  await scenario.applyRoute("news", { rules: [postsCost("/new/**")] });
  await server.compactEtcd();
  await server.stopApiServer();
  await server.startApiServer();
  await installCrd(cluster.admin); // is there, but not served at once
  operator.kill("SIGCONT");
  await operator.logged(
    "watch lost, the last known routes stay in force",
    ({ reason }) => `${reason}`.includes("410"),
  );
  await eventually(() => scenario.look("/new/x"), "site 402", catchUp);
  await scenario.untilReady("news", catchUp);
  await scenario.untilGone("X402Route", "prices");
});
