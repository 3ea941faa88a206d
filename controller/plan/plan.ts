import type { X402Route } from "../../crd/x402route.ts";
import type { RouteSnapshot } from "../../store/route_snapshot.ts";
import { type ClusterState, type Ingress, type IngressBackend, keyOf } from "../cluster_state.ts";
import { assignIngress } from "./assign_ingress.ts";
import { sameBackend } from "./backend_slots.ts";
import { clusterChanges } from "./cluster_changes.ts";
import type { ClusterWrite } from "./cluster_write.ts";
import { compileHosts } from "./compile_hosts.ts";
import { deepFreeze } from "./deep_freeze.ts";
import { withFacilitatorKinds } from "./facilitator_kinds.ts";
import { isDeleted } from "./finalizers.ts";
import type { Finding } from "./finding.ts";
import { decideIngress, type IngressChange, singleBackendHosts } from "./ingress_changes.ts";
import type { DecidedIngress } from "./ingress_outcome.ts";
import { withManualBackends } from "./manual_backends.ts";
import { LastResults } from "../../store/last_results.ts";
import { type MergedRules, mergeRules } from "./merge_rules.ts";
import { byName } from "./object_order.ts";
import { originalBackendsAnnotation } from "./original_backends.ts";
import { type OriginalIngress, originalIngress } from "./original_ingress.ts";
import type { PlanOptions } from "./plan_options.ts";
import { readClaim, type RouteClaim } from "./route_claim.ts";
import { type RouteStatus, routeStatus } from "./route_status.ts";
import { fallbackTables, ingressRules, isServed } from "./served_ingress.ts";
import { unreachedRules } from "./unreached_rules.ts";

/** What a plan has to know of the one before: what cannot be read from the cluster any more. */
export interface PlanMemory {
  /** By `namespace/name`: the valid form in force of each X402Route that has one. */
  readonly accepted: ReadonlyMap<string, X402Route>;
  /** By `namespace/name`: where the patched paths of each Ingress lead without the operator, by slot key. */
  readonly originals: ReadonlyMap<string, ReadonlyMap<string, IngressBackend>>;
}

const nothing: ReadonlyMap<string, IngressBackend> = new Map();

/** Before the first plan. */
export const noMemory: PlanMemory = { accepted: new Map(), originals: new Map() };

/** What follows from a cluster state. Lists are sorted by namespace and name; all but `originals` is frozen. */
export interface Plan extends PlanMemory {
  readonly snapshot: RouteSnapshot;
  /** What has to lead to the gateway; Ingresses with nothing of the kind are left out. */
  readonly ingressChanges: readonly IngressChange[];
  readonly statuses: readonly RouteStatus[];
  /** What has to be written into the cluster now; nothing when all is as it should be. */
  readonly writes: readonly ClusterWrite[];
}

/**
 * What the gateway has to serve, what has to be written into the cluster, and what the authors of
 * X402Routes have to know. Pure: the same for any order of the lists in `state`.
 *
 *     X402Route                                    | its rules             | Accepted
 *     valid                                        | in force              | True
 *     valid, rules covered by an older X402Route   | the others in force   | False, Conflicted
 *     invalid, was valid before                    | last valid in force   | False
 *     ... and names another Ingress now            | and blocked there     | False
 *     invalid, never was valid                     | blocked (answer 503)  | False
 *     ... and its ingressRef cannot be read        | none                  | False
 *     names an Ingress that does not allow it      | none                  | True
 *     deleted                                      | none                  |
 *
 *     Ingress path                                 | becomes
 *     with a backend that resolves                 | a path of the host, priced by its Ingress's rules
 *     with a Service or port that is missing       | the same, answered with 503, charged for or not
 *     that an older Ingress has too                | nothing; reported on the X402Routes naming it
 *     that has to lead to the gateway, or not to   | also a write (`decideIngress`)
 */
export function plan(state: ClusterState, options: PlanOptions, memory: PlanMemory): Plan {
  const services = new Map(state.services.map((service) => [keyOf(service.metadata), service]));
  const claims = state.routes
    .filter((raw) => !isDeleted(raw))
    .map((raw) => readClaim(raw, { services, options, accepted: memory.accepted }))
    .map((claim) => withFacilitatorKinds(claim, state.facilitatorSupport))
    .map((claim) => withManualBackends(claim, services, options))
    .sort((a, b) => byName(a.name, b.name));
  const originals = [...state.ingresses]
    .sort((a, b) => byName(a.metadata, b.metadata))
    .map((live) => {
      const remembered = memory.originals.get(keyOf(live.metadata)) ?? nothing;
      return originalIngress(live, options.gateway, services, remembered);
    });
  const { claimsOf, ingressOf, findings } = assign(claims, originals);

  const serves = (each: OriginalIngress) =>
    isServed(each, claimsOf.get(each)!, state.ledLately, options);
  const served = originals.filter(serves);
  const others = originals.filter((each) => !serves(each));
  const merged = served.map((each) => {
    const claimsHere = claimsOf.get(each)!;
    return mergedRules.get(each, claimsHere, () => mergeRules(claimsHere));
  });
  const isPriced = (each: OriginalIngress) => !options.gateway || claimsOf.get(each)!.length > 0;
  const priced = new Set(authorsOf(served.filter(isPriced)));
  const compiled = compileHosts(authorsOf(served), priced, authorsOf(others), services, options);
  served.forEach(({ author }, index) => {
    for (const [claim, found] of merged[index]!.findings) {
      findings.get(claim)!.push(...found, ...compiled.findings.get(author)!);
    }
  });

  const surroundings = {
    services,
    singleBackendHosts: singleBackendHosts(compiled.hosts),
    options,
  };
  const decided = served.map((original, index): DecidedIngress => ({
    original,
    decision: decideIngress(original, merged[index]!.rules, surroundings),
    claims: claimsOf.get(original)!,
  }));
  for (const each of decided) {
    for (const claim of each.claims) findings.get(claim)!.push(...unreachedRules(claim, each));
  }
  // Whose author put everything back himself: only the annotation is left to be removed.
  const left = others.filter(hasRecord).map((original): DecidedIngress => ({
    original,
    decision: decideIngress(original, [], surroundings),
    claims: [],
  }));
  const { gateway } = options;
  const changes = gateway &&
    clusterChanges([...decided, ...left], state, services, gateway, options);
  const decidedOf = new Map(decided.map((each) => [each.original, each]));
  const patchedOf = (claim: RouteClaim) => {
    const original = ingressOf.get(claim);
    return original === undefined
      ? notApplied
      : changes?.ingressPatched(decidedOf.get(original)!, claim);
  };
  const rules = served.map((each, index) => ingressRules(each, merged[index]!));
  const fallback = fallbackTables(compiled.fallback, rules);
  const planned = deepFreeze({
    snapshot: { hosts: compiled.hosts, ingresses: rules, ...(fallback && { fallback }) },
    ingressChanges: decided.flatMap(({ original, decision: { paths } }) => {
      const { namespace, name } = original.live.metadata;
      return paths.length === 0 ? [] : [{ namespace, name, paths }];
    }),
    statuses: [
      ...claims.map((claim) =>
        routeStatus(claim, findings.get(claim)!, ingressOf, gateway && patchedOf(claim))
      ),
      ...(changes?.held ?? []),
    ].sort(byName),
    writes: changes?.writes ?? [],
    accepted: new Map(
      claims.flatMap(({ name, accepted }) => accepted ? [[keyOf(name), accepted]] : []),
    ),
  });
  const remembered = decided.map((ingress) => {
    const key = keyOf(ingress.original.live.metadata);
    return [key, patchedBackends(ingress, memory.originals.get(key) ?? nothing)] as const;
  });
  // Not frozen, because it shares objects with the state.
  return { ...planned, originals: new Map(remembered) };
}

function hasRecord({ live }: OriginalIngress): boolean {
  return live.metadata.annotations?.[originalBackendsAnnotation] !== undefined;
}

/**
 * The originals of the slots that the operator leads to the gateway, or has led there. Where a user
 * wrote the gateway himself (Manual), what was there before is not to come back.
 */
function patchedBackends(
  { original: { backends, throughGateway }, decision: { wanted } }: DecidedIngress,
  before: ReadonlyMap<string, IngressBackend>,
): ReadonlyMap<string, IngressBackend> {
  const now = [...backends].filter(([key]) => wanted.has(key) || throughGateway.has(key));
  const isSame = now.length === before.size &&
    now.every(([key, backend]) => sameBackend(before.get(key), backend));
  return isSame ? before : new Map(now);
}

const mergedRules = new LastResults<OriginalIngress, MergedRules>();

const notApplied = {
  status: "False",
  reason: "NotApplied",
  message: "There is no Ingress to patch; see the other conditions.",
} as const;

/** Sorts the claims to their Ingresses, and starts the list of findings of each claim. */
function assign(claims: readonly RouteClaim[], ingresses: readonly OriginalIngress[]) {
  const byKey = new Map(ingresses.map((ingress) => [keyOf(ingress.live.metadata), ingress]));
  const claimsOf = new Map<OriginalIngress, RouteClaim[]>(ingresses.map((each) => [each, []]));
  const ingressOf = new Map<RouteClaim, OriginalIngress>();
  const findings = new Map<RouteClaim, Finding[]>();
  for (const route of claims) {
    const found = [...route.findings];
    for (const claim of route.elsewhere ? [route, route.elsewhere] : [route]) {
      // One list for both: there is one status to tell it in.
      findings.set(claim, found);
      const ingress = assignIngress(claim, byKey);
      if (ingress === undefined) continue;
      if ("problem" in ingress) found.push(ingress);
      else {
        claimsOf.get(ingress)!.push(claim);
        ingressOf.set(claim, ingress);
      }
    }
  }
  return { claimsOf, ingressOf, findings };
}

function authorsOf(ingresses: readonly OriginalIngress[]): Ingress[] {
  return ingresses.map(({ author }) => author);
}
