import type { RawObject } from "../cluster_state.ts";
import { ingressKey, isHeld } from "./finalizers.ts";
import type { IngressPatched } from "./ingress_outcome.ts";
import type { RouteStatus } from "./route_status.ts";

/**
 * What deleted X402Routes say while their finalizer holds them.
 *
 * @param stuck by Ingress (`namespace/name`): why it cannot be put back
 */
export function heldRoutes(
  routes: readonly RawObject[],
  stuck: ReadonlyMap<string, IngressPatched>,
): RouteStatus[] {
  return routes.filter(isHeld).flatMap((route) => {
    const outcome = stuck.get(ingressKey(route));
    if (outcome === undefined) return [];
    const { metadata: { namespace, name, generation } } = route;
    return [{
      namespace,
      name,
      ...(typeof generation === "number" && { observedGeneration: generation }),
      inForce: "nothing",
      activeRoutes: 0,
      conditions: [{ type: "IngressPatched", ...outcome }, { type: "Ready", ...outcome }],
      problems: [],
      warnings: [],
    }];
  });
}
