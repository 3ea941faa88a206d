import type { Outlook } from "./apply_writes.ts";
import { findKnownAsset } from "../crd/networks.ts";
import { covers, intersects, pathSegments } from "../store/path_pattern.ts";
import type { Access, Condition, Rule } from "../store/route_snapshot.ts";
import { type ClusterState, type IngressBackend, keyOf } from "./cluster_state.ts";
import type { ClusterWrite } from "./plan/cluster_write.ts";
import { type IngressPlace, ingressPlaces, placePattern } from "./plan/ingress_places.ts";
import { originalIngress } from "./plan/original_ingress.ts";
import type { GatewayAddress } from "./plan/plan_options.ts";
import type { RouteStatus } from "./plan/route_status.ts";

/** What `plan -o json` and `-o yaml` print, besides the diagnostics. Amounts are decimal strings. */
export interface PlanPreview {
  /** Those that an X402Route names, or that lead to the gateway already. */
  readonly ingresses: readonly IngressPreview[];
  readonly routes: readonly RoutePreview[];
  /** How many more there are, whose outcome is the same without the manifests, where they are left out. */
  readonly unchanged?: { readonly ingresses: number; readonly routes: number };
  /** In the order in which they would be made; absent where no cluster was looked at. */
  readonly writes?: readonly WritePreview[];
}

export interface IngressPreview {
  readonly namespace: string;
  readonly name: string;
  readonly paths: readonly PathPreview[];
}

export interface PathPreview {
  /** `""` stands for every host that nobody names. */
  readonly host: string;
  readonly path: string;
  readonly pathType: "Exact" | "Prefix" | "ImplementationSpecific";
  /** Where its requests end up, `SERVICE:PORT`; absent where that is not known. */
  readonly backend?: string;
  /** Where the path leads in the cluster now; absent where it is not there. */
  readonly now?: "gateway" | "backend";
  /** Where it has to lead. */
  readonly then: "gateway" | "backend";
  /** In matching order: the first that matches a request decides. */
  readonly rules: readonly RulePreview[];
  /** Whether there are requests that no rule matches; they are free. */
  readonly hasFreeRest: boolean;
}

export interface RulePreview {
  readonly pattern: string;
  /** Absent: all of them. */
  readonly methods?: readonly string[];
  /** `namespace/name` of its X402Route. */
  readonly route: string;
  /** `blocked`: answered with 503 until its X402Route is valid. */
  readonly access: Access["kind"];
  /** In whole tokens. */
  readonly price?: string;
  /** Its symbol, or the address of its contract where that is not a known one. */
  readonly token?: string;
  /** CAIP-2 */
  readonly network?: string;
  readonly payTo?: string;
  readonly conditions?: readonly Condition[];
  /** What is done with a request that none of the conditions matches. */
  readonly otherwise?: "pay" | "free";
}

export type RoutePreview = Pick<
  RouteStatus,
  "namespace" | "name" | "inForce" | "activeRoutes" | "conditions"
>;

export type WritePreview = Pick<
  ClusterWrite,
  "verb" | "resource" | "namespace" | "name" | "note"
>;

/**
 * Puts a plan in the words of its readers.
 *
 * @param state what was planned, before anything is written
 * @param live the cluster as it is now, if there is one
 */
export function planPreview(
  state: ClusterState,
  { writes, settled }: Outlook,
  gateway: GatewayAddress,
  live: ClusterState | undefined,
): PlanPreview {
  const originalOf = originals(state, gateway);
  const liveOriginalOf = live && originals(live, gateway);
  const changes = new Map(settled.ingressChanges.map(({ paths, ...name }) => [keyOf(name), paths]));
  return {
    ingresses: settled.snapshot.ingresses.map(({ namespace, name, rules }) => {
      const key = keyOf({ namespace, name });
      const now = liveOriginalOf?.(key);
      const present = new Set(now && ingressPlaces(now.author).map(({ slot }) => slot));
      const wanted = new Set((changes.get(key) ?? []).map(placeKey));
      const paths = ingressPlaces(originalOf(key)!.author).map((place): PathPreview => ({
        ...placePreview(place),
        ...(present.has(place.slot) && { now: leadsTo(now!.throughGateway.has(place.slot)) }),
        then: leadsTo(wanted.has(placeKey(place))),
        ...rulesOf(place, rules),
      }));
      return { namespace, name, paths };
    }),
    routes: settled.statuses.map(({ namespace, name, inForce, activeRoutes, conditions }) => (
      { namespace, name, inForce, activeRoutes, conditions }
    )),
    ...(live && { writes: writes.map(writePreview) }),
  };
}

/** What the authors of Ingresses have written, by `namespace/name`. */
function originals({ ingresses, services }: ClusterState, gateway: GatewayAddress) {
  const byKey = new Map(ingresses.map((ingress) => [keyOf(ingress.metadata), ingress]));
  const servicesByKey = new Map(services.map((each) => [keyOf(each.metadata), each]));
  return (key: string) => {
    const ingress = byKey.get(key);
    return ingress && originalIngress(ingress, gateway, servicesByKey, new Map());
  };
}

function writePreview({ verb, resource, namespace, name, note }: ClusterWrite): WritePreview {
  return { verb, resource, namespace, name, note };
}

function leadsTo(gateway: boolean): "gateway" | "backend" {
  return gateway ? "gateway" : "backend";
}

function placeKey({ host, pathType, path }: Pick<IngressPlace, "host" | "pathType" | "path">) {
  return `${host} ${pathType} ${path}`;
}

function placePreview({ host, path, pathType, backend }: IngressPlace) {
  const name = backendName(backend);
  return { host, path, pathType, ...(name !== undefined && { backend: name }) };
}

function backendName({ service, resource }: IngressBackend): string | undefined {
  if (resource !== undefined) return `${resource.kind} ${resource.name}`;
  return service && `${service.name}:${service.port?.name ?? service.port?.number}`;
}

/** Those that could decide about a request of the place. */
function rulesOf(place: IngressPlace, rules: readonly Rule[]) {
  const requests = placePattern(place);
  const matching = rules.filter(({ pattern }) => intersects(pathSegments(pattern), requests));
  const last = matching.findIndex(({ pattern, methods }) =>
    methods === undefined && covers(pathSegments(pattern), requests)
  );
  const deciding = last === -1 ? matching : matching.slice(0, last + 1);
  return { rules: deciding.map(rulePreview), hasFreeRest: last === -1 };
}

function rulePreview({ pattern, methods, route, access }: Rule): RulePreview {
  const common = {
    pattern,
    ...(methods && { methods }),
    route: keyOf(route),
    access: access.kind,
  };
  if (access.kind !== "paid") return common;
  const { price, asset, network, payTo } = access.terms;
  const token = findKnownAsset(network, asset)?.symbol ?? asset;
  return {
    ...common,
    ...{ price, token, network, payTo },
    ...(access.conditions && { conditions: access.conditions }),
    ...(access.conditionDefault && { otherwise: access.conditionDefault }),
  };
}
