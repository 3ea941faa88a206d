import {
  covers,
  intersects,
  maxPatternSegments,
  type PathPattern,
  pathSegments,
} from "../../store/path_pattern.ts";
import type { Rule } from "../../store/route_snapshot.ts";
import { PatternIndex } from "./pattern_index.ts";
import { type IngressPlace, isByText, isOpaque, placePattern } from "./ingress_places.ts";

/** A rule made ready to be compared with thousands of places. */
interface SplitRule {
  readonly rule: Rule;
  readonly segments: PathPattern;
}

/** What comes to a place. */
interface Requests {
  readonly place: IngressPlace;
  /** At least these. */
  readonly pattern: PathPattern;
  /** Of a place by text: any last segment, which is more than its requests can have. */
  readonly loose?: PathPattern;
}

/** Tells which places of an Ingress the requests of rules can come to. */
export class RuleReach {
  readonly #rules: readonly SplitRule[];
  /** In matching order. */
  readonly #rulesNear = new PatternIndex<SplitRule>();
  readonly #requests: ReadonlyMap<IngressPlace, Requests>;
  readonly #requestsNear = new PatternIndex<Requests>();
  /** Hosts of which it is not known which place a request comes to. */
  readonly #opaqueHosts: ReadonlySet<string>;
  /** Places that are prefixes, by host and path without a trailing slash. */
  readonly #prefixes: ReadonlySet<string>;
  readonly #receivers = new Map<SplitRule, readonly Requests[]>();

  constructor(places: readonly IngressPlace[], rules: readonly Rule[]) {
    this.#rules = rules.map((rule) => ({ rule, segments: pathSegments(rule.pattern) }));
    for (const split of this.#rules) this.#rulesNear.add(split, split.segments);
    this.#requests = new Map(places.map((place) => [place, requestsOf(place)]));
    for (const requests of this.#requests.values()) {
      this.#requestsNear.add(requests, requests.loose ?? requests.pattern);
    }
    this.#opaqueHosts = new Set(places.filter(isOpaque).map(({ host }) => host));
    this.#prefixes = new Set(
      places.filter(({ pathType }) => pathType !== "Exact")
        .map((place) => prefixKey(place.host, placePattern(place).slice(0, -1))),
    );
  }

  /** Whether a request of the place could fall under a rule of that kind. */
  couldMatch(place: IngressPlace, kind: "paid" | "blocked"): boolean {
    const requests = this.#requests.get(place)!;
    for (const { value: split } of this.#near(requests)) {
      const { methods, access } = split.rule;
      if (access.kind === kind) {
        if (mayMeet(split, requests) && !this.#goElsewhere(split, requests)) return true;
      } else if (access.kind === "free" && methods === undefined && coversAll(split, requests)) {
        // The first rule that matches decides: no later one is about this place.
        return false;
      }
    }
    return false;
  }

  /** Whether a rule, whatever it says, could be about a request of the place. */
  meets(place: IngressPlace): boolean {
    const requests = this.#requests.get(place)!;
    return this.#near(requests).some(({ value }) => mayMeet(value, requests));
  }

  /** Rules that charge for nothing, because no place has such requests. */
  unreached(): Rule[] {
    return this.#rules
      .filter(({ rule }) => rule.access.kind === "paid")
      .filter((split) =>
        !this.#requestsNear.near(split.segments).some(({ value }) => mayMeet(split, value))
      )
      .map(({ rule }) => rule);
  }

  #near({ loose, pattern }: Requests) {
    return this.#rulesNear.near(loose ?? pattern);
  }

  /**
   * Whether all requests of the rule belong to a longer path of the same host, as those of `/api/**`
   * where there are `/` and `/api`. It does not count where any of them goes to the same backend as
   * those of the place: what an Ingress controller takes for another path, such as `/api%2Fx`, may
   * be the same to a backend, which would give away here what it charges for there.
   */
  #goElsewhere(split: SplitRule, { place, pattern }: Requests): boolean {
    const { host } = place;
    if (place.pathType === "Exact" || this.#opaqueHosts.has(host)) return false;
    const wildcard = split.segments.findIndex((segment) => segment === "*" || segment === "**");
    const literals = wildcard === -1 ? split.segments : split.segments.slice(0, wildcard);
    const isLonger = (_: string, index: number) =>
      index >= pattern.length - 1 &&
      this.#prefixes.has(prefixKey(host, literals.slice(0, index + 1)));
    if (!literals.some(isLonger)) return false;
    return !this.#receiversOf(split).some(({ place: other }) =>
      other !== place && other.host === host && sameBackend(other, place)
    );
  }

  #receiversOf(split: SplitRule): readonly Requests[] {
    let receivers = this.#receivers.get(split);
    if (receivers === undefined) {
      receivers = this.#requestsNear.near(split.segments)
        .map(({ value }) => value)
        .filter((requests) => mayMeet(split, requests));
      this.#receivers.set(split, receivers);
    }
    return receivers;
  }
}

/** Of a path that is longer than any rule, what its beginning has: a bound on what it can cost. */
function requestsOf(place: IngressPlace): Requests {
  const pattern = placePattern(place);
  if (pattern.length > maxPatternSegments + 1) {
    return { place, pattern: [...pattern.slice(0, maxPatternSegments), "**"] };
  }
  const isLoose = isByText(place) && pattern.length > 1;
  return { place, pattern, ...(isLoose && { loose: [...pattern.slice(0, -2), "*", "**"] }) };
}

function prefixKey(host: string, segments: PathPattern): string {
  return `${host} ${segments.join("/")}`;
}

function sameBackend(a: IngressPlace, b: IngressPlace): boolean {
  const { service: first } = a.backend;
  const { service: second } = b.backend;
  // Two ports of one Service are one backend: they may well be one process. What is not known may
  // be the same.
  return first === undefined || second === undefined || first.name === second.name;
}

function mayMeet({ segments: rule }: SplitRule, { pattern, loose }: Requests): boolean {
  if (intersects(rule, pattern)) return true;
  if (loose === undefined || !intersects(rule, loose)) return false;
  const length = pattern.length - 1;
  // What a `**` stands for may end in the middle of anything.
  return rule.slice(0, length).includes("**") || rule[length - 1] === "*" ||
    rule[length - 1]!.startsWith(pattern.at(-2)!);
}

function coversAll({ segments: rule }: SplitRule, { pattern, loose }: Requests): boolean {
  return covers(rule, loose ?? pattern);
}
