import type { X402RouteStatus } from "../../crd/x402route_status.ts";
import type { RawObject } from "../cluster_state.ts";
import type { RouteCondition } from "../plan/route_conditions.ts";
import { type StatusUpdate, statusUpdate } from "./status_update.ts";

/** What an X402Route has to say when its Ingress was put back; undefined when it says so, or nothing. */
export function restoredStatus(route: RawObject, now: Date): StatusUpdate | undefined {
  const { conditions = [], observedGeneration } = (route.status ?? {}) as X402RouteStatus;
  if (conditions.length === 0) return undefined;
  const kept = (conditions as readonly RouteCondition[])
    .filter(({ type }) => type === "Accepted" || type === "ResolvedRefs")
    .map(({ type, status, reason, message }) => ({ type, status, reason, message }));
  return statusUpdate(route, {
    ...(observedGeneration !== undefined && { observedGeneration }),
    activeRoutes: 0,
    conditions: [...kept, { type: "IngressPatched", ...restored }, { type: "Ready", ...restored }],
  }, now);
}

const restored = {
  status: "False",
  reason: "Restored",
  message: "The Ingress is as its author wrote it, put back by `restore`; nothing is charged for.",
} as const;
