import type { ClusterPlanOptions } from "../controller/mod.ts";
import { type ClusterFlags, type ConnectionFlags, operatorName } from "./cluster_flags.ts";
import type { ManifestFlags } from "./gateway_flags.ts";

type PlanFlags = ManifestFlags & Omit<ClusterFlags, keyof ConnectionFlags | "watchNamespaces">;

/** @param namespace where the operator runs */
export function planOptions(flags: PlanFlags, namespace: string): ClusterPlanOptions {
  return {
    allowExternalName: flags.allowExternalName,
    allowedFacilitatorHosts: flags.allowFacilitatorHost,
    clusterDomain: flags.clusterDomain,
    gateway: {
      own: { namespace, name: flags.operatorService },
      serviceName: flags.gatewayServiceName,
      port: flags.gatewayPort,
      way: flags.gatewayService,
    },
  };
}

/** Where an operator usually runs, for what is planned without a cluster. */
const usualNamespace = "x402-system";

/** For what is planned without a cluster. */
export function offlineOptions(
  flags: ManifestFlags & Pick<ClusterFlags, "allowExternalName"> & Partial<PlanFlags>,
): ClusterPlanOptions {
  const usual = {
    operatorService: operatorName,
    gatewayServiceName: "x402-gateway",
    gatewayPort: 8402,
    gatewayService: "endpoint-slices" as const,
  };
  return planOptions({ ...usual, ...flags }, flags.operatorNamespace ?? usualNamespace);
}
