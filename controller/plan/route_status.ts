import type { Problem } from "../../crd/x402route.ts";
import type { ObjectName } from "../cluster_state.ts";
import type { Finding, FindingKind } from "./finding.ts";
import type { RouteClaim } from "./route_claim.ts";

/** Which form of an X402Route the gateway serves. */
export type InForce = "as written" | "last valid form" | "blocked (503)" | "nothing";

/** What is wrong at a field, and what that means for the X402Route. */
export interface RouteProblem extends Problem {
  readonly kind: FindingKind;
}

/** What the author of an X402Route gets to know. */
export interface RouteStatus extends ObjectName {
  /** `metadata.generation` of the manifest that this is about. */
  readonly observedGeneration?: number;
  readonly inForce: InForce;
  /** Rules in force: not those that are blocked or never reached. */
  readonly activeRoutes: number;
  readonly conditions: readonly RouteCondition[];
  /** All that is wrong, by field. */
  readonly problems: readonly RouteProblem[];
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

/**
 * `findings` are all that concern the route, its claim's own included; `assigned` are the claims
 * whose Ingress exists and allows them.
 */
export function routeStatus(
  claim: RouteClaim,
  findings: readonly Finding[],
  assigned: ReadonlySet<RouteClaim>,
): RouteStatus {
  const of: FindingsOf = (...kinds) =>
    findings.filter(({ kind }) => kinds.includes(kind)).map(({ problem }) => problem);
  const inForce = formInForce(claim, assigned);
  const applied = inForce === "as written" || inForce === "last valid form";
  const unreachable = of("rule-conflict", "rule-unreachable").length;
  const activeRoutes = applied ? claim.rules.length - unreachable : 0;
  const { generation } = claim.metadata;
  return {
    ...claim.name,
    ...(typeof generation === "number" && { observedGeneration: generation }),
    inForce,
    activeRoutes,
    conditions: [accepted(claim, inForce, activeRoutes, of), resolvedRefs(of)],
    problems: findings
      .filter(({ kind }) => kind !== "warning" && kind !== "rule-unreachable")
      .map(({ kind, problem }) => ({ kind, ...problem })),
    warnings: of("warning", "rule-unreachable"),
  };
}

function formInForce(claim: RouteClaim, assigned: ReadonlySet<RouteClaim>): InForce {
  if (assigned.has(claim)) return forms[claim.form];
  return claim.elsewhere !== undefined && assigned.has(claim.elsewhere)
    ? "blocked (503)"
    : "nothing";
}

const forms = {
  "current": "as written",
  "last-valid": "last valid form",
  "blocked": "blocked (503)",
} as const;

function accepted(
  claim: RouteClaim,
  inForce: InForce,
  activeRoutes: number,
  of: FindingsOf,
): RouteCondition {
  const type = "Accepted";
  const refused = of("not-permitted");
  if (refused.length > 0) {
    return { type, status: "False", reason: "IngressNotPermitted", message: sentences(refused) };
  }
  if (claim.form !== "current") {
    const message = `The manifest is invalid. ${consequences[inForce]} ${sentences(of("invalid"))}`;
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
  "as written": "It is in force as written.",
  "last valid form": "Its last valid form is in force.",
  "blocked (503)": "The paths that it could charge for are blocked.",
  "nothing": "Nothing of it is in force.",
};

function resolvedRefs(of: FindingsOf): RouteCondition {
  const type = "ResolvedRefs";
  const found = of(...refReasons.map(([kind]) => kind));
  if (found.length > 0) {
    const reason = refReasons.find(([kind]) => of(kind).length > 0)![1];
    return { type, status: "False", reason, message: sentences(found) };
  }
  return { type, status: "True", reason: "ResolvedRefs", message: "Everything named exists." };
}

const refReasons = [
  ["ingress-unreadable", "IngressRefInvalid"],
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
