import { type ClusterState, keyOf, type Service } from "../cluster_state.ts";
import type { ClusterWrite } from "./cluster_write.ts";
import { addFinalizer, hasFinalizer, releasedFinalizers } from "./finalizers.ts";
import { gatewayObjects, type GatewayWay } from "./gateway_objects.ts";
import {
  type DecidedIngress,
  ingressOutcome,
  type IngressPatched,
  type IngressStep,
  unreadableOutcome,
} from "./ingress_outcome.ts";
import { heldRoutes } from "./held_routes.ts";
import { ingressPatch } from "./ingress_patch.ts";
import type { GatewayAddress, PlanOptions } from "./plan_options.ts";
import type { RouteClaim } from "./route_claim.ts";
import { sentences } from "./route_conditions.ts";
import type { RouteStatus } from "./route_status.ts";

export interface ClusterChanges {
  /** All of them may be carried out at once and in any order; what has to wait is not among them. */
  readonly writes: readonly ClusterWrite[];
  /** What the condition IngressPatched says of an X402Route with its rules on this Ingress. */
  readonly ingressPatched: (ingress: DecidedIngress, claim: RouteClaim) => IngressPatched;
  /** Of deleted X402Routes that cannot go, because their Ingress cannot be put back. */
  readonly held: readonly RouteStatus[];
}

/**
 * What has to be written. An Ingress is led to the gateway only when the way there exists and every
 * X402Route concerned has its finalizer, so that nothing that happens in between breaks a path or
 * leaves it patched for ever. Putting paths back waits for nothing.
 */
export function clusterChanges(
  ingresses: readonly DecidedIngress[],
  state: ClusterState,
  services: ReadonlyMap<string, Service>,
  gateway: GatewayAddress,
  options: PlanOptions,
): ClusterChanges {
  const unreadable = state.ingresses.filter((live) => live.unreadable !== undefined);
  // Nobody knows whether it needs what is there.
  const mayNeed = unreadable.map(({ metadata }) => metadata.namespace)
    .filter((namespace) => services.has(keyOf({ namespace, name: gateway.serviceName })));
  const needed = new Set([...ingresses.filter(needsGateway).map(namespaceOf), ...mayNeed]);
  const objects = gatewayObjects(needed, { ...state, services }, gateway, options);
  const steps = new Map<DecidedIngress, IngressStep>();
  // By key: the X402Route of two Ingresses needs its finalizer once.
  const writes = new Map(objects.writes.map((write) => [writeKey(write), write]));
  const unsettled = new Set(unreadable.map(({ metadata }) => keyOf(metadata)));
  const stuck = new Map(unreadable.map((live) => [keyOf(live.metadata), unreadableOutcome(live)]));
  const unknown = new Map<string, string>();
  for (const ingress of ingresses) {
    const way = objects.ways.get(namespaceOf(ingress));
    const step = nextStep(ingress, way, gateway);
    for (const write of step.writes) writes.set(writeKey(write), write);
    const key = keyOf(ingress.original.live.metadata);
    if (step.writes.length > 0) {
      unsettled.add(key);
      const problem = state.writeProblems.get(`ingresses ${key}`);
      if (problem !== undefined) stuck.set(key, { status: "False", ...problem });
    }
    const lost = ingress.decision.refusals.filter(({ reason }) => reason === "OriginalUnknown");
    if (lost.length > 0) unknown.set(key, `Ingress ${key}: ${sentences(lost)}`);
    steps.set(ingress, step);
  }
  const released = releasedFinalizers(state.routes, unsettled, unknown);
  return {
    writes: [...writes.values(), ...released],
    ingressPatched: (ingress, claim) =>
      ingressOutcome(ingress, claim, steps.get(ingress)!, state.writeProblems),
    held: heldRoutes(state.routes, stuck),
  };
}

/** `ingresses shop/api` */
function writeKey({ resource, ...name }: ClusterWrite): string {
  return `${resource} ${keyOf(name)}`;
}

function namespaceOf({ original }: DecidedIngress): string {
  return original.live.metadata.namespace;
}

function needsGateway({ original, decision, claims }: DecidedIngress): boolean {
  return decision.wanted.size > 0 || original.throughGateway.size > 0 ||
    claims.some(({ manual }) => manual);
}

function nextStep(
  { original, decision: { wanted }, claims }: DecidedIngress,
  way: GatewayWay | undefined,
  gateway: GatewayAddress,
): IngressStep {
  // The patch would be of another form of the object than there is.
  if (original.live.unreadable !== undefined) return { way, writes: [] };
  const unprotected = wanted.size === 0
    ? []
    : claims.filter(({ manual, metadata }) => !manual && !hasFinalizer({ metadata }));
  const isReached = way?.kind === "ready";
  const mayCharge = isReached && unprotected.length === 0;
  const already = new Set([...wanted].filter((key) => original.throughGateway.has(key)));
  const patch = ingressPatch(original, mayCharge ? wanted : already, gateway, isReached);
  if (patch.kind === "too-large") return { way, writes: [], tooLarge: patch.bytes };
  const finalizers = unprotected.map(({ metadata }) => addFinalizer(metadata));
  return {
    way,
    writes: patch.kind === "write" ? [...finalizers, patch.write] : finalizers,
    waits: !mayCharge && already.size < wanted.size,
  };
}
