import { covers, pathSegments } from "../../store/path_pattern.ts";
import type { Rule } from "../../store/route_snapshot.ts";
import { keyOf } from "../cluster_state.ts";
import { type Finding, finding } from "./finding.ts";
import { byAge } from "./object_order.ts";
import type { RouteClaim } from "./route_claim.ts";

/** The rules of one Ingress, and what its X402Routes have to be told about their order. */
export interface MergedRules {
  readonly rules: readonly Rule[];
  readonly findings: ReadonlyMap<RouteClaim, readonly Finding[]>;
}

interface PlacedRule {
  readonly rule: Rule;
  readonly segments: readonly string[];
  readonly claim: RouteClaim;
  readonly index: number;
}

/**
 * Puts the rules of all X402Routes of one Ingress in matching order: those of the older route first.
 * A rule that an earlier one wholly covers can never be reached: a conflict when the earlier one is
 * of another route, a warning within one route. It stays in the list, where it does no harm.
 * Blocked rules are left alone: whether they can be reached is not what their author has to know.
 */
export function mergeRules(claims: readonly RouteClaim[]): MergedRules {
  const byPriority = [...claims].sort((a, b) => byAge(a.metadata, b.metadata));
  const placed = byPriority
    .flatMap((claim) =>
      claim.rules.map((rule, index): PlacedRule => ({
        rule,
        segments: pathSegments(rule.pattern),
        claim,
        index,
      }))
    );
  const findings = new Map<RouteClaim, Finding[]>(claims.map((claim) => [claim, []]));
  placed.forEach((later, position) => {
    if (later.claim.form === "blocked") return;
    const earlier = placed.slice(0, position).find((earlier) => isCovered(later, earlier));
    if (earlier !== undefined) findings.get(later.claim)!.push(unreachable(later, earlier));
  });
  const catchAlls = byPriority.flatMap(({ catchAll }) => catchAll ?? []);
  return { rules: [...placed.map(({ rule }) => rule), ...catchAlls], findings };
}

function isCovered(later: PlacedRule, earlier: PlacedRule): boolean {
  const methods = earlier.rule.methods;
  return (methods === undefined ||
    (later.rule.methods?.every((method) => methods.includes(method)) ?? false)) &&
    covers(earlier.segments, later.segments);
}

function unreachable(later: PlacedRule, earlier: PlacedRule): Finding {
  const path = ["spec", "routes", later.index];
  const what = `(${later.rule.pattern}) is never reached, because ${earlier.rule.pattern} of`;
  return earlier.claim === later.claim
    ? finding("rule-unreachable", path, `${what} spec.routes[${earlier.index}] comes first`)
    : finding(
      "rule-conflict",
      path,
      `${what} the older X402Route ${keyOf(earlier.claim.name)} covers it`,
    );
}
