import type { ConditionReason, ConditionType } from "../../crd/condition_reasons.ts";
import type { Problem } from "../../crd/x402route.ts";
import type { FindingKind } from "./finding.ts";
import type { RouteClaim } from "./route_claim.ts";

export interface RouteCondition {
  readonly type: ConditionType;
  readonly status: "True" | "False";
  /** One word, for programs. */
  readonly reason: ConditionReason;
  /** Sentences, for people. */
  readonly message: string;
}

/** What the conditions are about. */
export interface ConditionInput {
  readonly claim: RouteClaim;
  /** What has become of the X402Route, as a sentence. */
  readonly consequence: string;
  readonly activeRoutes: number;
  readonly findings: (...kinds: FindingKind[]) => readonly Problem[];
  /** Absent in standalone mode, where there is no Ingress controller to lead to the gateway. */
  readonly ingressPatched?: Omit<RouteCondition, "type">;
}

/** In the order in which they are shown. */
export function routeConditions(input: ConditionInput): RouteCondition[] {
  const conditions = [accepted(input), resolvedRefs(input)];
  if (input.ingressPatched === undefined) return conditions;
  conditions.push({ type: "IngressPatched", ...input.ingressPatched });
  return [...conditions, ready(conditions)];
}

function accepted(
  { claim, consequence, activeRoutes, findings }: ConditionInput,
): RouteCondition {
  const type = "Accepted";
  if (claim.form !== "current") {
    const message = `The manifest is invalid. ${consequence} ${sentences(findings("invalid"))}`;
    return { type, status: "False", reason: "Invalid", message };
  }
  const conflicts = findings("rule-conflict", "ingress-conflict");
  if (conflicts.length > 0) {
    const message = `${activeRoutes} of ${claim.rules.length} rules are in force. ` +
      sentences(conflicts);
    return { type, status: "False", reason: "Conflicted", message };
  }
  const warnings = sentences(findings("warning", "rule-unreachable"));
  const message = `The manifest is valid.${warnings && ` Is this meant? ${warnings}`}`;
  return { type, status: "True", reason: type, message };
}

function resolvedRefs({ findings }: ConditionInput): RouteCondition {
  const type = "ResolvedRefs";
  const found = findings(...refReasons.map(([kind]) => kind));
  const reason = refReasons.find(([kind]) => findings(kind).length > 0)?.[1];
  return reason === undefined
    ? { type, status: "True", reason: type, message: "Everything named exists." }
    : { type, status: "False", reason, message: sentences(found) };
}

const refReasons = [
  ["ingress-unreadable", "RefInvalid"],
  ["not-permitted", "RefNotPermitted"],
  ["ingress-not-found", "IngressNotFound"],
  ["backend-not-found", "BackendNotFound"],
  ["network-not-supported", "NetworkNotSupported"],
] as const;

/** The summary that kstatus, `kubectl wait` and GitOps tools look at. */
function ready(conditions: readonly RouteCondition[]): RouteCondition {
  const type = "Ready";
  const failed = conditions.find(({ status }) => status === "False");
  return failed === undefined
    ? { type, status: "True", reason: type, message: "Requests are charged as written." }
    : { ...failed, type };
}

/** The API server limits a condition's message to 32 KiB. */
export function sentences(problems: readonly Pick<Problem, "message">[]): string {
  const shown = problems.slice(0, 10).map(({ message }) => `${message}.`);
  const rest = problems.length - shown.length;
  return shown.join(" ") + (rest > 0 ? ` And ${rest} more.` : "");
}
