import assert from "node:assert/strict";
import type { RawObject } from "../cluster_state.ts";
import type { RouteStatus } from "../plan/route_status.ts";
import { statusUpdate } from "./status_update.ts";
import { WrittenStatuses } from "./written_statuses.ts";

const status: RouteStatus = {
  namespace: "shop",
  name: "paid",
  observedGeneration: 3,
  inForce: "as written",
  activeRoutes: 2,
  conditions: [{ type: "Ready", status: "True", reason: "Ready", message: "All is well." }],
  problems: [],
  warnings: [],
};

function route(resourceVersion: string, stored?: unknown): RawObject {
  const metadata = { namespace: "shop", name: "paid", resourceVersion };
  return { metadata, ...(stored !== undefined && { status: stored }) };
}

const kept = statusUpdate(route("1"), status, new Date())!.status;
const { observedGeneration: _, ...pruned } = kept;

Deno.test("an older CRD that drops a field is noticed, and nothing is repeated", () => {
  const statuses = new WrittenStatuses();
  assert.equal(statuses.delayMs(route("1"), status), 0);
  assert.equal(statuses.written(status, route("2", pruned)), false);
  assert.equal(statuses.delayMs(route("2", pruned), structuredClone(status)), undefined);
  assert.equal(statuses.delayMs(route("2", pruned), { ...status, activeRoutes: 1 }), 0);
});

Deno.test("a status that is kept is no sign of an older CRD", () => {
  assert.equal(new WrittenStatuses().written(status, route("2", kept)), true);
});

Deno.test("a status that somebody else overwrites is written again at once, then rarely", () => {
  const statuses = new WrittenStatuses();
  statuses.written(status, route("2", kept));
  assert.equal(statuses.delayMs(route("3", {}), status), 0);
  statuses.written(status, route("4", kept));
  assert.equal(statuses.delayMs(route("5", {}), status), 30_000);
  const other = { ...status, activeRoutes: 1 };
  assert.equal(statuses.delayMs(route("5", {}), other), 0);
  statuses.written(other, route("6", kept));
  assert.equal(statuses.delayMs(route("7", {}), other), 0);
});
