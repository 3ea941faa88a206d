import { LastResults } from "../../store/last_results.ts";
import type { HostRoutes, IngressRules, RouteTables, Rule } from "../../store/route_snapshot.ts";
import { keyOf } from "../cluster_state.ts";
import type { MergedRules } from "./merge_rules.ts";
import type { OriginalIngress } from "./original_ingress.ts";
import type { PlanOptions } from "./plan_options.ts";
import type { RouteClaim } from "./route_claim.ts";

/**
 * Whether an Ingress is served: in a folder all of them are, in a cluster those that have to do with
 * the gateway, or had a moment ago (`namespace/name`): proxies in front need seconds to notice. The others must not be reached through it: it would be a way around whatever their
 * own controller asks of a request, such as a login.
 */
export function isServed(
  { live, throughGateway }: OriginalIngress,
  claims: readonly RouteClaim[],
  ledLately: ReadonlySet<string>,
  { gateway }: PlanOptions,
): boolean {
  return gateway === undefined || claims.length > 0 || throughGateway.size > 0 ||
    ledLately.has(keyOf(live.metadata));
}

/** Tables of their own for hosts whose paths are by index into `ingresses`; undefined for none. */
export function fallbackTables(
  hosts: readonly HostRoutes[],
  ingresses: readonly IngressRules[],
): RouteTables | undefined {
  if (hosts.length === 0) return undefined;
  const used = [...new Set(hosts.flatMap(({ paths }) => paths.map(({ ingress }) => ingress)))];
  const indices = new Map(used.map((ingress, index) => [ingress, index]));
  return {
    hosts: hosts.map(({ host, paths }) => ({
      host,
      paths: paths.map((path) => ({ ...path, ingress: indices.get(path.ingress)! })),
    })),
    ingresses: used.map((ingress) => ingresses[ingress]!),
  };
}

/** Of the snapshot, in the same order. */
export function ingressRules(original: OriginalIngress, { rules }: MergedRules): IngressRules {
  return known.get(original, [rules], () => readRules(original, rules));
}

const known = new LastResults<OriginalIngress, IngressRules>();

function readRules({ author }: OriginalIngress, rules: readonly Rule[]): IngressRules {
  const { metadata: { namespace, name }, spec } = author;
  // A TLS entry without hosts is the certificate for all of them.
  const tlsHosts = (spec.tls ?? []).flatMap(({ hosts }) => hosts?.length ? hosts : ["*"]);
  return {
    namespace,
    name,
    tlsHosts: [...new Set(tlsHosts.map((host) => host.toLowerCase()))].sort(),
    rules,
  };
}
