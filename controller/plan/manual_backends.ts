import { type Service } from "../cluster_state.ts";
import { type Finding, finding } from "./finding.ts";
import type { PlanOptions } from "./plan_options.ts";
import { resolveBackend } from "./resolve_backend.ts";
import type { RouteClaim } from "./route_claim.ts";

/**
 * Gives the rules of a Manual X402Route their backends: its Ingress names the gateway, and so cannot
 * say where requests go. They are Services of the Ingress's namespace, like its own backends.
 */
export function withManualBackends(
  claim: RouteClaim,
  services: ReadonlyMap<string, Service>,
  options: PlanOptions,
): RouteClaim {
  const { manual, accepted, ingress, name } = claim;
  if (!manual || accepted === undefined || ingress === undefined) return claim;
  // Refused later on: whether somebody else has such a Service is nobody's business.
  if (ingress.namespace !== name.namespace) return claim;
  const findings: Finding[] = [...claim.findings];
  const rules = claim.rules.map((rule, index) => {
    const reference = accepted.spec.routes[index]?.backend ?? {};
    const backend = resolveBackend(ingress.namespace, reference, services, options);
    if ("unresolved" in backend) {
      const path = ["spec", "routes", index, "backend"];
      findings.push(finding("backend-not-found", path, `cannot be used: ${backend.unresolved}`));
    }
    return { ...rule, backend };
  });
  return { ...claim, rules, findings };
}
