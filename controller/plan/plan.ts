import type { X402Route } from "../../crd/x402route.ts";
import type { RouteSnapshot } from "../../store/route_snapshot.ts";
import { type ClusterState, type Ingress, keyOf } from "../cluster_state.ts";
import { assignIngress } from "./assign_ingress.ts";
import { compileHosts } from "./compile_hosts.ts";
import { deepFreeze } from "./deep_freeze.ts";
import type { Finding } from "./finding.ts";
import { type IngressChange, ingressChange } from "./ingress_changes.ts";
import { type MergedRules, mergeRules } from "./merge_rules.ts";
import { byName } from "./object_order.ts";
import type { PlanOptions } from "./plan_options.ts";
import { readClaim, type RouteClaim } from "./route_claim.ts";
import { type RouteStatus, routeStatus } from "./route_status.ts";

/** What follows from a cluster state. Lists are sorted by namespace and name; all of it is frozen. */
export interface Plan {
  readonly snapshot: RouteSnapshot;
  /** Ingresses without any change are left out. */
  readonly ingressChanges: readonly IngressChange[];
  readonly statuses: readonly RouteStatus[];
  /** By `namespace/name`: the valid form in force of each X402Route that has one. */
  readonly accepted: ReadonlyMap<string, X402Route>;
}

/**
 * What the gateway has to serve, which Ingress paths have to lead to it, and what the authors of
 * X402Routes have to know. Pure: the same for any order of the lists in `state`.
 * `lastAccepted` is `accepted` of the plan before.
 *
 *     X402Route                                    | its rules             | Accepted
 *     valid                                        | in force              | True
 *     valid, rules covered by an older X402Route   | the others in force   | True if any is left
 *     invalid, was valid before                    | last valid in force   | False
 *     ... and names another Ingress now            | and blocked there     | False
 *     invalid, never was valid                     | blocked (answer 503)  | False
 *     ... and its ingressRef cannot be read        | none                  | False
 *     names an Ingress that does not allow it      | none                  | False
 *     deleted                                      | none                  |
 *
 *     Ingress path                                 | becomes
 *     with a backend that resolves                 | a path of the host, priced by its Ingress's rules
 *     with a Service or port that is missing       | the same, answered with 503 where not with 402
 *     that an older Ingress has too                | nothing; reported on the X402Routes naming it
 *     that a paid or blocked rule could match      | also an Ingress change
 */
export function plan(
  state: ClusterState,
  options: PlanOptions,
  lastAccepted: ReadonlyMap<string, X402Route>,
): Plan {
  const claims = state.routes
    .map((raw) => readClaim(raw, options, lastAccepted))
    .sort((a, b) => byName(a.name, b.name));
  const ingresses = [...state.ingresses].sort((a, b) => byName(a.metadata, b.metadata));
  const services = new Map(state.services.map((service) => [keyOf(service.metadata), service]));

  const { claimsOf, assigned, findings } = assign(claims, ingresses);
  const merged = ingresses.map((ingress) => mergeRules(claimsOf.get(ingress)!));
  const compiled = compileHosts(ingresses, services, options);
  ingresses.forEach((ingress, index) => {
    for (const [claim, found] of merged[index]!.findings) {
      findings.get(claim)!.push(...found, ...compiled.findings.get(ingress)!);
    }
  });

  const changes = ingresses.map((ingress, index) => ingressChange(ingress, merged[index]!.rules));
  return deepFreeze({
    snapshot: { hosts: compiled.hosts, ingresses: ingressRules(ingresses, merged) },
    ingressChanges: changes.filter((change) => change !== undefined),
    statuses: claims.map((claim) => routeStatus(claim, findings.get(claim)!, assigned)),
    accepted: new Map(
      claims.flatMap(({ name, accepted }) => accepted ? [[keyOf(name), accepted]] : []),
    ),
  });
}

/** Sorts the claims to their Ingresses, and starts the list of findings of each claim. */
function assign(claims: readonly RouteClaim[], ingresses: readonly Ingress[]) {
  const byKey = new Map(ingresses.map((ingress) => [keyOf(ingress.metadata), ingress]));
  const claimsOf = new Map<Ingress, RouteClaim[]>(ingresses.map((ingress) => [ingress, []]));
  const assigned = new Set<RouteClaim>();
  const findings = new Map<RouteClaim, Finding[]>();
  for (const route of claims) {
    const found = [...route.findings];
    for (const claim of route.elsewhere ? [route, route.elsewhere] : [route]) {
      // One list for both: there is one status to tell it in.
      findings.set(claim, found);
      const ingress = assignIngress(claim, byKey);
      if (ingress === undefined) continue;
      if ("kind" in ingress && "problem" in ingress) found.push(ingress);
      else {
        claimsOf.get(ingress)!.push(claim);
        assigned.add(claim);
      }
    }
  }
  return { claimsOf, assigned, findings };
}

function ingressRules(
  ingresses: readonly Ingress[],
  merged: readonly MergedRules[],
): RouteSnapshot["ingresses"] {
  return ingresses.map(({ metadata, spec }, index) => {
    // A TLS entry without hosts is the certificate for all of them.
    const tlsHosts = (spec.tls ?? []).flatMap(({ hosts }) => hosts?.length ? hosts : ["*"]);
    return {
      namespace: metadata.namespace,
      name: metadata.name,
      tlsHosts: [...new Set(tlsHosts.map((host) => host.toLowerCase()))].sort(),
      rules: merged[index]!.rules,
    };
  });
}
