import { type ClusterState, keyOf, type Service, type WriteProblem } from "../cluster_state.ts";
import type { ClusterWrite } from "./cluster_write.ts";
import { addFinalizer, hasFinalizer, releasedFinalizers } from "./finalizers.ts";
import { gatewayObjects, type GatewayWay } from "./gateway_objects.ts";
import type { IngressDecision } from "./ingress_changes.ts";
import { ingressPatch } from "./ingress_patch.ts";
import type { OriginalIngress } from "./original_ingress.ts";
import type { GatewayAddress, PlanOptions } from "./plan_options.ts";
import type { RouteClaim } from "./route_claim.ts";
import { type RouteCondition, sentences } from "./route_conditions.ts";

type IngressPatched = Omit<RouteCondition, "type">;

/** One Ingress with all that was decided about it. */
export interface DecidedIngress {
  readonly original: OriginalIngress;
  readonly decision: IngressDecision;
  /** The X402Routes that name it and may. */
  readonly claims: readonly RouteClaim[];
}

export interface ClusterChanges {
  /** All of them may be carried out at once and in any order; what has to wait is not among them. */
  readonly writes: readonly ClusterWrite[];
  /** What the condition IngressPatched says of an X402Route with its rules on this Ingress. */
  readonly ingressPatched: (ingress: DecidedIngress, claim: RouteClaim) => IngressPatched;
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
  const needed = new Set(ingresses.filter(needsGateway).map(namespaceOf));
  const objects = gatewayObjects(needed, { ...state, services }, gateway, options);
  const outcomes = new Map<DecidedIngress, IngressPatched>();
  const writes: ClusterWrite[] = [...objects.writes];
  const unsettled = new Set<string>();
  for (const ingress of ingresses) {
    const key = keyOf(ingress.original.live.metadata);
    const way = objects.ways.get(namespaceOf(ingress));
    const service = `${namespaceOf(ingress)}/${gateway.serviceName}`;
    const problem = state.writeProblems.get(`ingresses ${key}`) ??
      (way?.kind === "pending" ? state.writeProblems.get(`services ${service}`) : undefined);
    const step = nextStep(ingress, way, gateway);
    writes.push(...step.writes);
    if (step.writes.length > 0) unsettled.add(key);
    outcomes.set(ingress, outcome(ingress, step, problem));
  }
  const ingressPatched: ClusterChanges["ingressPatched"] = (ingress, claim) => {
    if (claim.form === "blocked") return notLed;
    return claim.manual ? manualOutcome(ingress) : outcomes.get(ingress)!;
  };
  return { writes: [...writes, ...releasedFinalizers(state.routes, unsettled)], ingressPatched };
}

const notLed: IngressPatched = {
  status: "False",
  reason: "NotApplied",
  message: "The manifest is invalid, so no path is led to the gateway for it; those that were " +
    "there before stay.",
};

function namespaceOf({ original }: DecidedIngress): string {
  return original.live.metadata.namespace;
}

function needsGateway({ original, decision, claims }: DecidedIngress): boolean {
  return decision.wanted.size > 0 || original.throughGateway.size > 0 ||
    claims.some(({ manual }) => manual);
}

/** What can be written of an Ingress now, and what it waits for. */
interface Step {
  readonly writes: readonly ClusterWrite[];
  readonly waitsFor?: string;
  readonly refused?: IngressPatched;
}

function nextStep(
  { original, decision: { wanted }, claims }: DecidedIngress,
  way: GatewayWay | undefined,
  gateway: GatewayAddress,
): Step {
  const unprotected = wanted.size === 0
    ? []
    : claims.filter(({ manual, metadata }) => !manual && !hasFinalizer({ metadata }));
  const waitsFor = way?.kind === "pending"
    ? way.reason
    : unprotected.length > 0
    ? "the finalizer of its X402Routes is being set"
    : undefined;
  const mayCharge = waitsFor === undefined && way?.kind !== "refused";
  const already = new Set([...wanted].filter((key) => original.throughGateway.has(key)));
  const patch = ingressPatch(original, mayCharge ? wanted : already, gateway);
  const finalizers = unprotected.map(({ metadata }) => addFinalizer(metadata));
  if (patch.kind === "too-large") {
    const message = `The original backends take ${patch.bytes} bytes of annotations, and 262144 ` +
      "are allowed; charge for fewer paths of this Ingress, or for a shorter common prefix.";
    return { writes: [], refused: { status: "False", reason: "TooManyPaths", message } };
  }
  return {
    writes: patch.kind === "write" ? [...finalizers, patch.write] : finalizers,
    ...(waitsFor !== undefined && already.size < wanted.size && { waitsFor }),
    ...(way?.kind === "refused" && {
      refused: {
        status: "False",
        reason: "GatewayServiceConflict",
        message: `${way.reason}.`,
      },
    }),
  };
}

function outcome(
  { original, decision }: DecidedIngress,
  step: Step,
  problem: WriteProblem | undefined,
): IngressPatched {
  const { refusals, wanted } = decision;
  if (refusals.length > 0) {
    const name = keyOf(original.live.metadata);
    const reason = refusals.every(({ reason }) => reason === "OriginalUnknown")
      ? "OriginalUnknown"
      : "UnsafeIngress";
    const message = `Ingress ${name}: ${sentences(refusals)}`;
    return { status: "False", reason, message };
  }
  if (step.refused !== undefined) return step.refused;
  if (problem !== undefined) return { status: "False", ...problem };
  if (step.waitsFor !== undefined) {
    return { status: "False", reason: "Pending", message: `Waiting: ${step.waitsFor}.` };
  }
  if (step.writes.length > 0) {
    return { status: "False", reason: "Pending", message: "The Ingress is being patched." };
  }
  return wanted.size === 0
    ? { status: "True", reason: "NothingToPatch", message: "No path could cost anything." }
    : {
      status: "True",
      reason: "Patched",
      message: `${wanted.size} of ${original.backends.size} paths lead to the gateway.`,
    };
}

function manualOutcome({ decision: { notPointed } }: DecidedIngress): IngressPatched {
  if (notPointed.length === 0) {
    const message = "The Ingress names the gateway itself.";
    return { status: "True", reason: "Manual", message };
  }
  const names = notPointed.slice(0, 5).map(({ host, path }) =>
    `${path} of ${host || "every host"}`
  );
  const more = notPointed.length - names.length;
  const message = `Paths that could cost something do not name the gateway's Service as their ` +
    `backend: ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}.`;
  return { status: "False", reason: "NotPointed", message };
}
