import type { ConditionCount } from "../store/snapshot_metrics.ts";
import type { RouteStatus } from "./plan/route_status.ts";
import type { Plan } from "./plan/plan.ts";

/** A new snapshot is in force. */
export interface PublishedEvent {
  readonly type: "snapshot-published";
  readonly ingresses: number;
  /** X402Routes of which a valid form is in force. */
  readonly routes: number;
  readonly rules: number;
  /** Milliseconds, to a tenth, from looking at the change to the new snapshot being in force. */
  readonly ms: number;
  /** What the statuses of all X402Routes say. */
  readonly conditions: readonly ConditionCount[];
}

/** `ms`: milliseconds that it took. */
export function publishedEvent({ snapshot, statuses }: Plan, ms: number): PublishedEvent {
  const valid = statuses.filter(({ inForce }) =>
    inForce === "as written" || inForce === "last valid form"
  );
  return {
    type: "snapshot-published",
    ingresses: snapshot.ingresses.length,
    routes: valid.length,
    rules: snapshot.ingresses.reduce((sum, { rules }) => sum + rules.length, 0),
    ms: Math.round(ms * 10) / 10,
    conditions: conditionCounts(statuses),
  };
}

function conditionCounts(statuses: readonly RouteStatus[]): ConditionCount[] {
  const counts = new Map<string, ConditionCount>();
  for (const { type: condition, status, reason } of statuses.flatMap((it) => it.conditions)) {
    const key = `${condition} ${status} ${reason}`;
    const routes = (counts.get(key)?.routes ?? 0) + 1;
    counts.set(key, { condition, status, reason, routes });
  }
  return [...counts.values()];
}
