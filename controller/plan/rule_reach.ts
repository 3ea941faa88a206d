import { covers, intersects, type PathPattern, pathSegments } from "../../store/path_pattern.ts";
import type { Rule } from "../../store/route_snapshot.ts";
import { type IngressPlace, isByText, isOpaque, placePattern } from "./ingress_places.ts";

/** Tells which places of an Ingress the requests of a rule can come to. */
export class RuleReach {
  /** Hosts of which it is not known which place a request comes to. */
  readonly #opaqueHosts: ReadonlySet<string>;
  /** Places that are prefixes, by host and path without a trailing slash. */
  readonly #prefixes: ReadonlyMap<string, IngressPlace>;

  constructor(private readonly places: readonly IngressPlace[]) {
    this.#opaqueHosts = new Set(places.filter(isOpaque).map(({ host }) => host));
    this.#prefixes = new Map(
      places.filter(({ pathType }) => pathType !== "Exact")
        .map((place) => [prefixKey(place.host, prefixSegments(place)), place]),
    );
  }

  /** Whether a request of the place could fall under a rule of that kind. */
  couldMatch(place: IngressPlace, rules: readonly Rule[], kind: "paid" | "blocked"): boolean {
    for (const { pattern, methods, access } of rules) {
      const segments = pathSegments(pattern);
      if (access.kind === kind) {
        if (mayMeet(segments, place) && !this.#goElsewhere(segments, place)) return true;
      } else if (access.kind === "free" && methods === undefined && coversAll(segments, place)) {
        // The first rule that matches decides: no later one is about this place.
        return false;
      }
    }
    return false;
  }

  /** Whether a rule, whatever it says, could be about a request of the place. */
  meets(place: IngressPlace, rules: readonly Rule[]): boolean {
    return rules.some(({ pattern }) => mayMeet(pathSegments(pattern), place));
  }

  /**
   * Whether all requests of the rule belong to a longer path of the same host, as those of `/api/**`
   * where there are `/` and `/api`. It does not count where any of them goes to the same backend as
   * those of the place: what an Ingress controller takes for another path, such as `/api%2Fx`, may
   * be the same to a backend, which would give away here what it charges for there.
   */
  #goElsewhere(rule: PathPattern, place: IngressPlace): boolean {
    const { host } = place;
    if (place.pathType === "Exact" || this.#opaqueHosts.has(host)) return false;
    const wildcard = rule.findIndex((segment) => segment === "*" || segment === "**");
    const literals = wildcard === -1 ? rule : rule.slice(0, wildcard);
    const isLonger = (_: string, index: number) => {
      const longer = literals.slice(0, index + 1);
      return index >= prefixSegments(place).length && this.#prefixes.has(prefixKey(host, longer));
    };
    if (!literals.some(isLonger)) return false;
    return !this.places.some((other) =>
      other !== place && other.host === host && sameBackend(other, place) && mayMeet(rule, other)
    );
  }
}

/** Segments of a place that is a prefix. */
function prefixSegments(place: IngressPlace): PathPattern {
  return placePattern(place).slice(0, -1);
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

function mayMeet(rule: PathPattern, place: IngressPlace): boolean {
  const requests = placePattern(place);
  if (intersects(rule, requests)) return true;
  if (!isByText(place)) return false;
  const [last, length] = [requests.at(-2), requests.length - 1];
  if (last === undefined || !intersects(rule, anyLast(requests))) return false;
  // What a `**` stands for may end in the middle of anything.
  return rule.slice(0, length).includes("**") || rule[length - 1] === "*" ||
    rule[length - 1]!.startsWith(last);
}

function coversAll(rule: PathPattern, place: IngressPlace): boolean {
  const requests = placePattern(place);
  return covers(rule, isByText(place) && requests.length > 1 ? anyLast(requests) : requests);
}

/** The pattern of a place with any last segment: more than its requests by text can be. */
function anyLast(requests: PathPattern): PathPattern {
  return [...requests.slice(0, -2), "*", "**"];
}
