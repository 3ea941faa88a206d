import { covers, intersects, pathSegments } from "../../store/path_pattern.ts";
import type { Rule } from "../../store/route_snapshot.ts";
import type { Ingress, ObjectName } from "../cluster_state.ts";
import { type IngressPlace, ingressPlaces, placePattern } from "./ingress_places.ts";

/**
 * The paths of one Ingress that have to point at the gateway, as its manifest spells them. The
 * default backend is the Prefix `/` of each host that has no such path.
 */
export interface IngressChange extends ObjectName {
  readonly paths: readonly Pick<IngressPlace, "host" | "path" | "pathType">[];
}

/** Only what could cost something goes through the gateway; undefined when that is nothing. */
export function ingressChange(ingress: Ingress, rules: readonly Rule[]): IngressChange | undefined {
  const paths = ingressPlaces(ingress)
    .filter((place) => needsGateway(place, rules))
    .map(({ host, path, pathType }) => ({ host, path, pathType }));
  const { namespace, name } = ingress.metadata;
  return paths.length === 0 ? undefined : { namespace, name, paths };
}

function needsGateway(place: IngressPlace, rules: readonly Rule[]): boolean {
  const requests = placePattern(place);
  for (const { pattern, methods, access } of rules) {
    const segments = pathSegments(pattern);
    if (access.kind !== "free") {
      if (intersects(segments, requests)) return true;
    } else if (methods === undefined && covers(segments, requests)) {
      // The first rule that matches decides: no later one can charge for this place.
      return false;
    }
  }
  return false;
}
