import type { HostRoutes, Rule } from "../../store/route_snapshot.ts";
import { type Ingress, keyOf, type ObjectName, type Service } from "../cluster_state.ts";
import { ingressHosts, type IngressPlace, ingressPlaces, isOpaque } from "./ingress_places.ts";
import { LastResults } from "../../store/last_results.ts";
import { RuleReach } from "./rule_reach.ts";
import { namedServices } from "./named_services.ts";
import type { OriginalIngress } from "./original_ingress.ts";
import { rewriteAnnotation, unsafeAnnotation, unsafeService } from "./patch_safety.ts";
import type { PlanOptions } from "./plan_options.ts";

type PlaceName = Pick<IngressPlace, "host" | "path" | "pathType">;

/**
 * The paths of one Ingress that have to point at the gateway, as its manifest spells them. The
 * default backend is the Prefix `/` of each host that has no such path.
 */
export interface IngressChange extends ObjectName {
  readonly paths: readonly PlaceName[];
}

/** What is to become of an Ingress. */
export interface IngressDecision {
  /** Keys of the slots that have to lead to the gateway. */
  readonly wanted: ReadonlySet<string>;
  readonly paths: readonly PlaceName[];
  /** Why paths that would have to lead to the gateway are left alone, or cannot be put back. */
  readonly refusals: readonly Refusal[];
  /** Paths that Manual rules charge for and that do not lead to the gateway. */
  readonly notPointed: readonly PlaceName[];
  /** Rules that charge for nothing, because no path of the Ingress has such requests. */
  readonly unreached: ReadonlySet<Rule>;
}

export interface Refusal {
  readonly reason: "UnsafeIngress" | "OriginalUnknown";
  /** A sentence without its full stop. */
  readonly message: string;
}

/** What `decideIngress` knows about the surroundings of an Ingress. */
export interface Surroundings {
  /** By `namespace/name`. */
  readonly services: ReadonlyMap<string, Service>;
  /** Hosts whose requests all go to one backend, whatever their path. */
  readonly singleBackendHosts: ReadonlySet<string>;
  readonly options: PlanOptions;
}

/**
 * Only what could cost something goes through the gateway.
 *
 *     a paid rule could match    | the path leads to the gateway
 *     ... and that is not safe   | it stays as it is, and is reported
 *     a blocked rule could match | it stays as it is: never opened, never closed by a typing error
 *     none of them               | its original backend
 *     ... and that is not known  | it stays as it is, and is reported
 */
export function decideIngress(
  original: OriginalIngress,
  rules: readonly Rule[],
  surroundings: Surroundings,
): IngressDecision {
  const { author } = original;
  const { services, singleBackendHosts, options } = surroundings;
  const isSingle = ingressHosts(author).map((host) => singleBackendHosts.has(host));
  const inputs = [rules, options, ...namedServices(author, services), ...isSingle];
  return known.get(original, inputs, () => decide(original, rules, surroundings));
}

const known = new LastResults<OriginalIngress, IngressDecision>();

function decide(
  { author, throughGateway, backends }: OriginalIngress,
  rules: readonly Rule[],
  surroundings: Surroundings,
): IngressDecision {
  const places = ingressPlaces(author);
  const patching = new RuleReach(places, rules.filter(({ backend }) => backend === undefined));
  const manual = new RuleReach(places, rules.filter(({ backend }) => backend !== undefined));
  const wanted = new Set<string>();
  const refusals = new Map<string, Refusal>();
  const refuse = (reason: Refusal["reason"], message: string) =>
    refusals.set(message, { reason, message });
  for (const place of places) {
    const stays = throughGateway.has(place.slot);
    if (stays && !backends.has(place.slot)) {
      wanted.add(place.slot);
      if (!manual.meets(place)) refuse("OriginalUnknown", unknownOriginal(place));
    } else if (stays && patching.couldMatch(place, "blocked")) {
      wanted.add(place.slot);
    } else if (patching.couldMatch(place, "paid")) {
      const refusal = unsafe(place, surroundings);
      if (refusal !== undefined) refuse("UnsafeIngress", refusal);
      // Already there, it was safe once: opening it now would give away what is charged for.
      if (refusal === undefined || stays) wanted.add(place.slot);
    }
  }
  return {
    wanted,
    paths: places.filter(({ slot }) => wanted.has(slot)).map(placeName),
    refusals: [...refusals.values()],
    notPointed: places
      .filter(({ slot }) => !throughGateway.has(slot) || !wanted.has(slot))
      .filter((place) => manual.couldMatch(place, "paid"))
      .map(placeName),
    unreached: new Set([...patching.unreached(), ...manual.unreached()]),
  };
}

/** Hosts of a snapshot on which a request's path does not matter for where it goes. */
export function singleBackendHosts(hosts: readonly HostRoutes[]): ReadonlySet<string> {
  return new Set(
    hosts
      .filter(({ paths }) => new Set(paths.map(({ backend }) => JSON.stringify(backend))).size <= 1)
      .map(({ host }) => host),
  );
}

function unsafe(
  place: IngressPlace,
  { services, singleBackendHosts, options }: Surroundings,
): string | undefined {
  const { ingress, backend: { service: reference } } = place;
  const where = describePlace(place);
  const annotation = unsafeAnnotation(ingress);
  if (annotation !== undefined) {
    return `it has the annotation ${annotation}, so it is left as it is`;
  }
  // The AWS controller takes such a "Service" for one of its own actions, such as a redirect.
  if (reference === undefined || reference.port?.name === "use-annotation") {
    return `${where} has a backend that is not a Service`;
  }
  if (isOpaque(place) && !singleBackendHosts.has(place.host)) return opaque(place, ingress);
  const key = keyOf({ namespace: ingress.metadata.namespace, name: reference.name });
  const service = services.get(key);
  const problem = service &&
    unsafeService(service, reference.port?.name ?? reference.port?.number, options);
  return problem && `${where} leads to Service ${key}, which ${problem}`;
}

function opaque(place: IngressPlace, ingress: Ingress): string {
  const rewrite = rewriteAnnotation(ingress);
  const why = rewrite === undefined ? "may be a regular expression" : `is rewritten (${rewrite})`;
  return `${describePlace(place)} ${why}, and the paths of its host lead to different backends, ` +
    "so the gateway could not tell where its requests belong; give it a host of its own, or use " +
    "ingressRef.mode Manual";
}

function unknownOriginal(place: IngressPlace): string {
  return `${describePlace(place)} leads to the gateway, and it is not known where it led before; ` +
    "write its original backend into the Ingress again";
}

/** `path "/api" of api.example.com` */
function describePlace({ host, path }: IngressPlace): string {
  return `path ${JSON.stringify(path)} of ${host || "every host"}`;
}

function placeName({ host, path, pathType }: IngressPlace): PlaceName {
  return { host, path, pathType };
}
