import type { X402RouteStatus } from "../../crd/x402route_status.ts";
import type { RawObject } from "../cluster_state.ts";
import type { RouteCondition } from "../plan/route_conditions.ts";
import type { RouteStatus } from "../plan/route_status.ts";

/** A status that has to be written, and what a person would want to hear of it. */
export interface StatusUpdate {
  readonly status: X402RouteStatus;
  /** Conditions whose status or reason is another than before. */
  readonly changed: readonly RouteCondition[];
}

/** What has to be written so that an X402Route shows its status; undefined when it does. */
export function statusUpdate(
  route: RawObject,
  { conditions, observedGeneration, activeRoutes }: Pick<
    RouteStatus,
    "conditions" | "observedGeneration" | "activeRoutes"
  >,
  now: Date,
): StatusUpdate | undefined {
  const present = (route.status ?? {}) as X402RouteStatus;
  const before = new Map(present.conditions?.map((each) => [each.type, each]));
  const generation = observedGeneration === undefined ? {} : { observedGeneration };
  const isTrue = (wanted: RouteCondition["type"]) =>
    conditions.some(({ type, status }) => type === wanted && status === "True");
  const patched = conditions.find(({ type }) => type === "IngressPatched");
  const status: X402RouteStatus = {
    ...generation,
    ready: isTrue("Ready"),
    ingressPatched: patched?.status === "True" && patched.reason !== "NothingToPatch",
    activeRoutes,
    conditions: conditions.map((condition) => {
      const known = before.get(condition.type);
      const lastTransitionTime = known?.status === condition.status
        ? known.lastTransitionTime
        // The API server keeps times to the second.
        : now.toISOString().replace(/\.\d+Z$/, "Z");
      return { ...condition, lastTransitionTime, ...generation };
    }),
  };
  if (sameJson(status, present)) return undefined;
  const changed = conditions.filter(({ type, status, reason }) => {
    const known = before.get(type);
    return known?.status !== status || known.reason !== reason;
  });
  return { status, changed };
}

/** Whether two values are the same data; the order of fields is nothing. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const keys = Object.keys(a);
  return Array.isArray(a) === Array.isArray(b) && keys.length === Object.keys(b).length &&
    keys.every((key) =>
      sameJson((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key])
    );
}
