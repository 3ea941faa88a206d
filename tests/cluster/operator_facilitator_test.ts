/** What a facilitator says of itself is in the status, and changes nothing that is in force. */
import assert from "node:assert/strict";
import { allowLoopback } from "../rig/rig.ts";
import { postsCost, throughGateway } from "./operator_manifests.ts";
import { Scenario } from "./operator_scenario.ts";
import { clusterTest } from "./test_cluster.ts";

clusterTest("a network that the facilitator does not support is in the status", async (cluster) => {
  await using facilitator = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => Response.json({ kinds: [{ x402Version: 2, scheme: "exact", network: "eip155:8453" }] }),
  );
  const facilitatorURL = `http://127.0.0.1:${facilitator.addr.port}`;
  await using scenario = await Scenario.start(cluster, { flags: allowLoopback });
  await scenario.applyIngress("web", { "/api": "api" });
  const rules = [postsCost("/api/**")];
  await scenario.applyRoute("prices", { payment: { facilitatorURL }, rules });
  const live = await scenario.untilCondition("prices", "Ready", "NetworkNotSupported");
  const refs = live.status?.conditions?.find(({ type }) => type === "ResolvedRefs");
  assert.equal(refs?.reason, "NetworkNotSupported");
  await scenario.untilBackends("web", { "/api": throughGateway });

  await scenario.applyRoute("prices", { payment: { facilitatorURL, network: "base" }, rules });
  await scenario.untilReady("prices");
});
