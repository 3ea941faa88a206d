import assert from "node:assert/strict";
import type { RawObject } from "../cluster_state.ts";
import type { RouteCondition } from "../plan/route_conditions.ts";
import type { RouteStatus } from "../plan/route_status.ts";
import { statusUpdate } from "./status_update.ts";

const ready: readonly RouteCondition[] = [
  { type: "Accepted", status: "True", reason: "Accepted", message: "The manifest is valid." },
  { type: "ResolvedRefs", status: "True", reason: "ResolvedRefs", message: "All there." },
  { type: "IngressPatched", status: "True", reason: "Patched", message: "1 of 2 paths." },
  { type: "Ready", status: "True", reason: "Ready", message: "Requests are charged." },
];

function planned(conditions = ready, observedGeneration = 3): RouteStatus {
  return {
    namespace: "shop",
    name: "paid",
    observedGeneration,
    inForce: "as written",
    activeRoutes: 2,
    conditions,
    problems: [],
    warnings: [],
  };
}

function route(status?: unknown): RawObject {
  return { metadata: { namespace: "shop", name: "paid" }, ...(status !== undefined && { status }) };
}

const noon = new Date("2026-01-01T12:00:00.789Z");
const later = new Date("2026-01-01T13:00:00Z");

/** As it comes back from the API server: the fields in another order. */
function stored(status: RouteStatus): object {
  const update = statusUpdate(route(), status, noon)!;
  const reversed = (object: object) => Object.fromEntries(Object.entries(object).reverse());
  return reversed({ ...update.status, conditions: update.status.conditions!.map(reversed) });
}

function changedBy(index: number, change: Partial<RouteCondition>): readonly RouteCondition[] {
  return ready.map((each, at) => at === index ? { ...each, ...change } as RouteCondition : each);
}

Deno.test("the first status has all fields, each condition its generation and a time in seconds", () => {
  const { status, changed } = statusUpdate(route(), planned(), noon)!;
  assert.deepEqual(status, {
    observedGeneration: 3,
    ready: true,
    ingressPatched: true,
    activeRoutes: 2,
    conditions: ready.map((condition) => ({
      ...condition,
      lastTransitionTime: "2026-01-01T12:00:00Z",
      observedGeneration: 3,
    })),
  });
  assert.deepEqual(changed, ready);
});

Deno.test("a status that is shown already is not written again", () => {
  assert.equal(statusUpdate(route(stored(planned())), planned(), later), undefined);
});

Deno.test("another message is written, but nobody is told, and no time changes", () => {
  const conditions = changedBy(2, { message: "2 of 2 paths." });
  const update = statusUpdate(route(stored(planned())), planned(conditions), later)!;
  assert.deepEqual(update.changed, []);
  assert.equal(update.status.conditions![2]!.message, "2 of 2 paths.");
  assert.equal(update.status.conditions![2]!.lastTransitionTime, "2026-01-01T12:00:00Z");
});

Deno.test("another reason is told, but only another status is a transition", () => {
  const pending = planned(changedBy(2, { status: "False", reason: "Pending" }));
  const failed = planned(changedBy(2, { status: "False", reason: "PatchFailed" }));
  const reasonOnly = statusUpdate(route(stored(pending)), failed, later)!;
  assert.deepEqual(reasonOnly.changed.map(({ type }) => type), ["IngressPatched"]);
  assert.equal(reasonOnly.status.conditions![2]!.lastTransitionTime, "2026-01-01T12:00:00Z");
  const transition = statusUpdate(route(stored(failed)), planned(), later)!;
  assert.deepEqual(transition.changed.map(({ type }) => type), ["IngressPatched"]);
  assert.equal(transition.status.conditions![2]!.lastTransitionTime, "2026-01-01T13:00:00Z");
  assert.equal(transition.status.conditions![0]!.lastTransitionTime, "2026-01-01T12:00:00Z");
});

Deno.test("a new generation is written even where nothing else is new", () => {
  const update = statusUpdate(route(stored(planned())), planned(ready, 4), later)!;
  assert.deepEqual(update.changed, []);
  assert.equal(update.status.observedGeneration, 4);
  for (const condition of update.status.conditions!) assert.equal(condition.observedGeneration, 4);
});

const summaries = [
  { what: "nothing to patch", change: { reason: "NothingToPatch" }, ingressPatched: false },
  { what: "pointed by hand", change: { reason: "Manual" }, ingressPatched: true },
  { what: "not patched", change: { status: "False", reason: "Pending" }, ingressPatched: false },
] as const;

for (const { what, change, ingressPatched } of summaries) {
  Deno.test(`ingressPatched is ${ingressPatched} with ${what}`, () => {
    const { status } = statusUpdate(route(), planned(changedBy(2, change)), noon)!;
    assert.equal(status.ingressPatched, ingressPatched);
  });
}

Deno.test("ready is what the condition Ready says", () => {
  const conditions = changedBy(3, { status: "False", reason: "Invalid" });
  assert.equal(statusUpdate(route(), planned(conditions), noon)!.status.ready, false);
});
