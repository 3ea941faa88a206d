/** What the operator writes when there is nothing to do, and what it tells when there was. */
import assert from "node:assert/strict";
import type { Kind } from "./kube_kinds.ts";
import { postsCost } from "./operator_manifests.ts";
import { Scenario } from "./operator_scenario.ts";
import { clusterTest } from "./test_cluster.ts";

const rules = [postsCost("/api/**")];

/** Milliseconds: longer than any delay of the writer's. */
const quietMs = 5_000;

clusterTest("nothing is written while nothing changes", async (cluster) => {
  await using scenario = await Scenario.start(cluster);
  await using other = await scenario.neighbour();
  for (const [user, name] of [[scenario, "web"], [other, "absent"]] as const) {
    await user.applyIngress(name, { "/api": "api", "/docs": "site" });
    await user.applyRoute("prices", { rules });
  }
  await scenario.untilReady("prices");
  await other.untilCondition("prices", "Ready", "IngressNotFound");

  const writes = () => scenario.operator.metric("x402_cluster_writes_total");
  const before = [await writes(), await versions(scenario), await versions(other)];
  await new Promise((resolve) => setTimeout(resolve, quietMs));
  assert.deepEqual([await writes(), await versions(scenario), await versions(other)], before);
});

clusterTest("Events tell what happened to whom", async (cluster) => {
  await using scenario = await Scenario.start(cluster);
  const { admin, namespace } = scenario;
  await scenario.applyIngress("web", { "/api": "api" });
  await scenario.applyRoute("prices", { rules });
  await scenario.untilReady("prices");
  await scenario.applyRoute("twice", { rules });
  await scenario.untilCondition("twice", "Ready", "Conflicted");
  await scenario.applyRoute("wrong", { payment: { facilitatorURL: "https://10.0.0.1" }, rules });
  await scenario.untilCondition("wrong", "Ready", "Invalid");
  for (const name of ["twice", "wrong", "prices"]) await scenario.delete("X402Route", name);

  const expected = [
    "Normal Ingress web PathsCharged",
    "Normal Ingress web PathsRestored",
    "Normal X402Route prices Patched",
    "Warning X402Route twice Conflicted",
    "Warning X402Route wrong Invalid",
  ];
  const events = await admin.waitUntilAll("Event", { namespace }, (events) => {
    const told = new Set(events.map(summary));
    return expected.every((each) => told.has(each));
  });
  const restored = events.find(({ reason }) => reason === "PathsRestored")!;
  assert.match(restored.note!, /^1 path leads to .* original backend again$/);
  assert.match(
    events.find(({ reason }) => reason === "Invalid")!.note!,
    /facilitatorURL/,
  );
});

type Event = { type?: string; reason?: string; regarding?: { kind?: string; name?: string } };

function summary({ type, reason, regarding }: Event): string {
  return `${type} ${regarding?.kind} ${regarding?.name} ${reason}`;
}

/** The resourceVersions of all that the operator could write in the user's namespace. */
async function versions({ admin, namespace }: Scenario): Promise<string[]> {
  const kinds: Kind[] = ["X402Route", "Ingress", "Service", "EndpointSlice", "Event"];
  const lists = await Promise.all(kinds.map((kind) => admin.list(kind, { namespace })));
  return lists.flat().map(({ kind, metadata }) =>
    `${kind} ${metadata.name} ${metadata.resourceVersion}`
  );
}
