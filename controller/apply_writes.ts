import { type ClusterState, keyOf, type ObjectName } from "./cluster_state.ts";
import type { ClusterWrite, JsonPatchOperation } from "./plan/cluster_write.ts";
import { type Plan, plan, type PlanMemory } from "./plan/plan.ts";
import type { PlanOptions } from "./plan/plan_options.ts";

/** Everything that would be written, one after the other, and the plan with which it ends. */
export interface Outlook {
  readonly writes: readonly ClusterWrite[];
  readonly settled: Plan;
}

/** A plan has nothing left to write after three rounds: first Service and finalizer, then the rest. */
const maxRounds = 10;

/** Follows the plan of a state, and of what comes of it, until nothing is left to be written. */
export function foresee(state: ClusterState, options: PlanOptions, memory: PlanMemory): Outlook {
  let settled = plan(state, options, memory);
  const writes: ClusterWrite[] = [];
  for (let round = 0; round < maxRounds && settled.writes.length > 0; round++) {
    writes.push(...settled.writes);
    state = applyWrites(state, settled.writes);
    settled = plan(state, options, settled);
  }
  return { writes, settled };
}

/** The state as it is after the writes, as far as a plan can see; the given one stays what it was. */
export function applyWrites(state: ClusterState, writes: readonly ClusterWrite[]): ClusterState {
  const byKey = new Map(writes.map((write) => [`${write.resource} ${keyOf(write)}`, write]));
  const after = <T extends { readonly metadata: ObjectName }>(
    resource: ClusterWrite["resource"],
    objects: readonly T[],
  ): T[] => {
    const kept = objects.flatMap((object) => {
      const write = byKey.get(`${resource} ${keyOf(object.metadata)}`);
      if (write?.verb === "delete") return [];
      return write?.verb === "patch" ? [patched(object, write.operations)] : [object];
    });
    const created = writes.flatMap((write) =>
      write.resource === resource && write.verb === "create"
        ? [withIdentity(write.body) as unknown as T]
        : []
    );
    return [...kept, ...created];
  };
  return {
    ...state,
    routes: after("x402routes", state.routes),
    ingresses: after("ingresses", state.ingresses),
    services: after("services", state.services),
    endpointSlices: after("endpointslices", state.endpointSlices),
  };
}

/** As the API server does it; who asks for a uid wants to know that the object is there. */
function withIdentity(body: Readonly<Record<string, unknown>>) {
  const metadata = { uid: "(new)", resourceVersion: "0", ...body.metadata as object };
  return { ...body, metadata };
}

/** RFC 6902, as far as plans use it: list elements are only replaced. */
function patched<T>(object: T, operations: readonly JsonPatchOperation[]): T {
  const copy = structuredClone(object);
  for (const { op, path, value } of operations) {
    const keys = path.slice(1).split("/")
      .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
    const last = keys.pop()!;
    let parent = copy as Record<string, unknown>;
    for (const key of keys) parent = parent[key] as Record<string, unknown>;
    if (op === "remove") delete parent[last];
    else parent[last] = structuredClone(value);
  }
  return copy;
}
