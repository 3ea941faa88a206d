import { LastResults } from "../../store/last_results.ts";
import type { IngressRules, Rule } from "../../store/route_snapshot.ts";
import type { MergedRules } from "./merge_rules.ts";
import type { OriginalIngress } from "./original_ingress.ts";
import type { PlanOptions } from "./plan_options.ts";
import type { RouteClaim } from "./route_claim.ts";

/**
 * Whether an Ingress is served: in a folder all of them are, in a cluster those that have to do with
 * the gateway. The others must not be reached through it: it would be a way around whatever their
 * own controller asks of a request, such as a login.
 */
export function isServed(
  { throughGateway }: OriginalIngress,
  claims: readonly RouteClaim[],
  { gateway }: PlanOptions,
): boolean {
  return gateway === undefined || claims.length > 0 || throughGateway.size > 0;
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
