import type { ClusterPlanOptions } from "../controller/mod.ts";
import type { ClusterFlags } from "./cluster_flags.ts";

/** Flags that the plan depends on. */
type PlanFlags = ClusterFlags & {
  readonly allowFacilitatorHost: readonly string[];
  readonly clusterDomain: string;
};

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
