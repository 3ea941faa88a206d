import type { Problem } from "../../crd/x402route.ts";
import type { ObjectName } from "../cluster_state.ts";
import type { Finding, FindingKind } from "./finding.ts";
import type { RouteClaim } from "./route_claim.ts";

/** What the author of an X402Route gets to know. */
export interface RouteStatus extends ObjectName {
  /** `metadata.generation` of the manifest that this is about. */
  readonly observedGeneration?: number;
  /** Rules in force: not those that are blocked or never reached. */
  readonly activeRoutes: number;
  readonly conditions: readonly RouteCondition[];
  /** All that is wrong, by field. */
  readonly problems: readonly Problem[];
  /** In force as written, but maybe not what was meant. */
  readonly warnings: readonly Problem[];
}

export interface RouteCondition {
  readonly type: "Accepted" | "ResolvedRefs";
  readonly status: "True" | "False";
  /** One word, for programs. */
  readonly reason: string;
  /** Sentences, for people. */
  readonly message: string;
}

type FindingsOf = (...kinds: FindingKind[]) => readonly Problem[];

/** `findings` are all that concern the route, its claim's own included. */
export function routeStatus(claim: RouteClaim, findings: readonly Finding[]): RouteStatus {
  const of: FindingsOf = (...kinds) =>
    findings.filter(({ kind }) => kinds.includes(kind)).map(({ problem }) => problem);
  const applied = claim.form !== "blocked" &&
    of("not-permitted", "ingress-not-found").length === 0;
  const unreachable = of("rule-conflict", "rule-unreachable").length;
  const activeRoutes = applied ? claim.rules.length - unreachable : 0;
  const { generation } = claim.metadata;
  const warnings = of("warning", "rule-unreachable");
  return {
    ...claim.name,
    ...(typeof generation === "number" && { observedGeneration: generation }),
    activeRoutes,
    conditions: [accepted(claim, activeRoutes, of), resolvedRefs(claim, of)],
    problems: findings.map(({ problem }) => problem).filter((found) => !warnings.includes(found)),
    warnings,
  };
}

function accepted(claim: RouteClaim, activeRoutes: number, of: FindingsOf): RouteCondition {
  const type = "Accepted";
  const refused = of("not-permitted");
  if (refused.length > 0) {
    return { type, status: "False", reason: "IngressNotPermitted", message: sentences(refused) };
  }
  if (claim.form !== "current") {
    const consequence = claim.ingress === undefined ? "" : ` ${consequences[claim.form]}`;
    const message = `The manifest is invalid.${consequence} ${sentences(of("invalid"))}`;
    return { type, status: "False", reason: "Invalid", message };
  }
  const conflicts = of("rule-conflict");
  if (conflicts.length > 0) {
    const message = `${activeRoutes} of ${claim.rules.length} rules are in force. ` +
      sentences(conflicts);
    const status = activeRoutes > 0 ? "True" : "False";
    return { type, status, reason: "RuleConflict", message };
  }
  return { type, status: "True", reason: "Accepted", message: "The manifest is valid." };
}

const consequences = {
  "last-valid": "Its last valid form is in force.",
  "blocked": "The paths that it could charge for are blocked.",
};

function resolvedRefs(claim: RouteClaim, of: FindingsOf): RouteCondition {
  const type = "ResolvedRefs";
  if (claim.ingress === undefined) {
    const message = "spec.ingressRef cannot be read, so nothing is blocked or charged for.";
    return { type, status: "False", reason: "IngressRefInvalid", message };
  }
  const found = of("not-permitted", "ingress-not-found", "ingress-conflict", "backend-not-found");
  if (found.length > 0) {
    const reason = refReasons.find(([kind]) => of(kind).length > 0)![1];
    return { type, status: "False", reason, message: sentences(found) };
  }
  return { type, status: "True", reason: "ResolvedRefs", message: "Everything named exists." };
}

const refReasons = [
  ["not-permitted", "IngressNotPermitted"],
  ["ingress-not-found", "IngressNotFound"],
  ["ingress-conflict", "IngressConflict"],
  ["backend-not-found", "BackendNotFound"],
] as const;

/** The API server limits a condition's message to 32 KiB. */
function sentences(problems: readonly Problem[]): string {
  const shown = problems.slice(0, 10).map(({ message }) => `${message}.`);
  const rest = problems.length - shown.length;
  return shown.join(" ") + (rest > 0 ? ` And ${rest} more.` : "");
}
