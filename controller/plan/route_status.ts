import type { Problem } from "../../crd/x402route.ts";
import type { ObjectName } from "../cluster_state.ts";
import type { Finding, FindingKind } from "./finding.ts";
import { LastResults } from "../../store/last_results.ts";
import type { RouteClaim } from "./route_claim.ts";
import { type ConditionInput, type RouteCondition, routeConditions } from "./route_conditions.ts";

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

/**
 * `findings` are all that concern the route, its claim's own included; `assigned` has the claims
 * whose Ingress exists and allows them.
 */
export function routeStatus(
  claim: RouteClaim,
  findings: readonly Finding[],
  assigned: ReadonlyMap<RouteClaim, unknown>,
  ingressPatched: ConditionInput["ingressPatched"],
): RouteStatus {
  const inForce = formInForce(claim, assigned);
  const { status, reason, message } = ingressPatched ?? {};
  const inputs = [inForce, status, reason, message, ...findings];
  return known.get(claim, inputs, () => readStatus(claim, findings, inForce, ingressPatched));
}

const known = new LastResults<RouteClaim, RouteStatus>();

function readStatus(
  claim: RouteClaim,
  findings: readonly Finding[],
  inForce: InForce,
  ingressPatched: ConditionInput["ingressPatched"],
): RouteStatus {
  const of: ConditionInput["findings"] = (...kinds) =>
    findings.filter(({ kind }) => kinds.includes(kind)).map(({ problem }) => problem);
  const applied = inForce === "as written" || inForce === "last valid form";
  const unreachable = of("rule-conflict", "rule-unreachable").length;
  const activeRoutes = applied ? claim.rules.length - unreachable : 0;
  const { generation } = claim.metadata;
  return {
    ...claim.name,
    ...(typeof generation === "number" && { observedGeneration: generation }),
    inForce,
    activeRoutes,
    conditions: routeConditions({
      claim,
      consequence: inForce === "blocked (503)" && ingressPatched
        ? blockedPaths
        : consequences[inForce],
      activeRoutes,
      findings: of,
      ...(ingressPatched && { ingressPatched }),
    }),
    problems: findings
      .filter(({ kind }) => kind !== "warning" && kind !== "rule-unreachable")
      .map(({ kind, problem }) => ({ kind, ...problem })),
    warnings: of("warning", "rule-unreachable"),
  };
}

function formInForce(claim: RouteClaim, assigned: ReadonlyMap<RouteClaim, unknown>): InForce {
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

/** In a cluster: a new mistake takes nothing away that works. */
const blockedPaths =
  "Its paths that lead to the gateway answer 503, the others are as free as before.";

const consequences = {
  "as written": "It is in force as written.",
  "last valid form": "Its last valid form is in force.",
  "blocked (503)": "The paths that it could charge for are blocked.",
  "nothing": "Nothing of it is in force.",
};
