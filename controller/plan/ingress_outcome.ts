import { type Ingress, keyOf, type WriteProblem } from "../cluster_state.ts";
import type { ClusterWrite } from "./cluster_write.ts";
import type { GatewayWay } from "./gateway_objects.ts";
import type { IngressDecision } from "./ingress_changes.ts";
import { maxAnnotationBytes } from "./ingress_patch.ts";
import type { OriginalIngress } from "./original_ingress.ts";
import type { RouteClaim } from "./route_claim.ts";
import { type RouteCondition, sentences } from "./route_conditions.ts";

/** What the condition IngressPatched says. */
export type IngressPatched = Omit<RouteCondition, "type">;

/** One Ingress with all that was decided about it. */
export interface DecidedIngress {
  readonly original: OriginalIngress;
  readonly decision: IngressDecision;
  /** The X402Routes that name it and may. */
  readonly claims: readonly RouteClaim[];
}

/** What can be written of an Ingress now. */
export interface IngressStep {
  readonly writes: readonly ClusterWrite[];
  /** From its namespace to the gateway; absent where none is needed. */
  readonly way: GatewayWay | undefined;
  /** Whether paths have to wait for the way, or for a finalizer. */
  readonly waits?: boolean;
  /** Bytes of annotations that it would need, where that is too many. */
  readonly tooLarge?: number;
}

/** What has become of an Ingress, as told to an X402Route whose rules it has. */
export function ingressOutcome(
  ingress: DecidedIngress,
  claim: RouteClaim,
  step: IngressStep,
  problems: ReadonlyMap<string, WriteProblem>,
): IngressPatched {
  if (claim.form === "blocked") return notLed;
  if (ingress.original.live.unreadable !== undefined) {
    return unreadableOutcome(ingress.original.live);
  }
  const { decision: { wanted, refusals }, original } = ingress;
  if (refusals.length > 0 && !claim.manual) return refused(ingress);
  if (step.tooLarge !== undefined) return tooLarge(step.tooLarge);
  const problem = problemOf(ingress, problems);
  const needsWay = claim.manual || wanted.size > 0;
  if (step.way?.kind === "refused" && needsWay) {
    return { status: "False", reason: "GatewayServiceConflict", message: `${step.way.reason}.` };
  }
  if (problem !== undefined) return { status: "False", ...problem };
  if (step.way?.kind === "pending" && needsWay) {
    return pending(`Waiting: ${step.way.reason}.`);
  }
  if (claim.manual) return manualOutcome(ingress);
  if (step.waits) return pending("Waiting: the finalizer of its X402Routes is being set.");
  if (step.writes.length > 0) return pending("The Ingress is being patched.");
  return wanted.size === 0
    ? { status: "True", reason: "NothingToPatch", message: "No path could cost anything." }
    : {
      status: "True",
      reason: "Patched",
      message: `${wanted.size} of ${original.backends.size} paths lead to the gateway.`,
    };
}

const notLed: IngressPatched = {
  status: "False",
  reason: "NotApplied",
  message: "The manifest is invalid, so no path is led to the gateway for it; those that were " +
    "there before stay.",
};

/** What is told of an Ingress that is there and cannot be read. */
export function unreadableOutcome({ metadata, unreadable }: Ingress): IngressPatched {
  const message = `Ingress ${keyOf(metadata)} cannot be read: ${unreadable}; ` +
    "what was known of it before stays in force, and it is not written to.";
  return { status: "False", reason: "IngressUnreadable", message };
}

function pending(message: string): IngressPatched {
  return { status: "False", reason: "Pending", message };
}

function refused({ original, decision: { refusals } }: DecidedIngress): IngressPatched {
  const reason = refusals.every(({ reason }) => reason === "OriginalUnknown")
    ? "OriginalUnknown"
    : "UnsafeIngress";
  const free = reason === "UnsafeIngress" ? " What does not lead to the gateway yet is free." : "";
  const message = `Ingress ${keyOf(original.live.metadata)}: ${sentences(refusals)}${free}`;
  return { status: "False", reason, message };
}

function tooLarge(bytes: number): IngressPatched {
  const message = `With the original backends, the annotations would take ${bytes} bytes, and ` +
    `${maxAnnotationBytes} are allowed; charge for fewer paths of this Ingress, or for a shorter common prefix.`;
  return { status: "False", reason: "TooManyPaths", message };
}

/** What keeps the Ingress from being as it is wanted: its own patch, or what that waits for. */
function problemOf(
  { original: { live: { metadata } }, claims }: DecidedIngress,
  problems: ReadonlyMap<string, WriteProblem>,
): WriteProblem | undefined {
  if (problems.size === 0) return undefined;
  const finalizers = claims.map(({ name }) => `x402routes ${keyOf(name)}`);
  const isAwaited = (key: string) =>
    finalizers.includes(key) || key.startsWith(`services ${metadata.namespace}/`) ||
    key.startsWith(`endpointslices ${metadata.namespace}/`);
  return problems.get(`ingresses ${keyOf(metadata)}`) ??
    [...problems].find(([key]) => isAwaited(key))?.[1];
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
