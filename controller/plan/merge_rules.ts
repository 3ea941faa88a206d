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
  /** In the `rules` of its claim. */
  readonly index: number;
  /** In the matching order of the Ingress. */
  readonly position: number;
}

/**
 * Puts the rules of all X402Routes of one Ingress in matching order: those of the Ingress's own namespace
 * first, then those of the older route.
 * A rule that an earlier one wholly covers can never be reached: a conflict when the earlier one is
 * of another route, a warning within one route. It stays in the list, where it does no harm.
 * Blocked rules are left alone: whether they can be reached is not what their author has to know.
 */
export function mergeRules(claims: readonly RouteClaim[]): MergedRules {
  const byPriority = [...claims].sort((a, b) =>
    Number(isGuest(a)) - Number(isGuest(b)) || byAge(a.metadata, b.metadata)
  );
  const placed = byPriority
    .flatMap((claim) => claim.rules.map((rule, index) => ({ claim, rule, index })))
    .map((place, position): PlacedRule => ({
      ...place,
      position,
      segments: pathSegments(place.rule.pattern),
    }));
  const findings = new Map<RouteClaim, Finding[]>(claims.map((claim) => [claim, []]));
  const before = new EarlierRules();
  for (const later of placed) {
    const earlier = later.claim.form === "blocked" ? undefined : before.findCover(later);
    if (earlier !== undefined) findings.get(later.claim)!.push(unreachable(later, earlier));
    before.add(later);
  }
  const catchAlls = byPriority.flatMap(({ catchAll }) => catchAll ?? []);
  return { rules: [...placed.map(({ rule }) => rule), ...catchAlls], findings };
}

/** Whether the X402Route is from another namespace: the owner of the Ingress goes first. */
function isGuest({ name, ingress }: RouteClaim): boolean {
  return ingress?.namespace !== name.namespace;
}

/**
 * Rules by the literal segments that they begin with. A pattern covers only those that begin with
 * the same literals, so few of ten thousand rules have to be looked at.
 */
class EarlierRules {
  readonly #byLiterals = new Map<string, PlacedRule[]>();

  add(rule: PlacedRule): void {
    const key = literalPrefixes(rule).at(-1)!;
    const bucket = this.#byLiterals.get(key);
    if (bucket === undefined) this.#byLiterals.set(key, [rule]);
    else bucket.push(rule);
  }

  /** The first in matching order of those that wholly cover the rule. */
  findCover(later: PlacedRule): PlacedRule | undefined {
    return literalPrefixes(later)
      .flatMap((key) => this.#byLiterals.get(key)?.find((rule) => isCovered(later, rule)) ?? [])
      .sort((a, b) => a.position - b.position)[0];
  }
}

/** For the pattern `/a/b/*`: "", "/a" and "/a/b". */
function literalPrefixes({ segments }: PlacedRule): string[] {
  const prefixes = [""];
  for (const segment of segments) {
    if (segment === "*" || segment === "**") break;
    prefixes.push(`${prefixes.at(-1)}/${segment}`);
  }
  return prefixes;
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
