/** The controller's door: what the rest of the program may use of it. */
export { type ManifestLoop, startManifestLoop } from "./reconcile_loop.ts";
export type { ManifestEvent } from "./manifest_event.ts";
export { type ConnectionFlags, findConnection, type KubeConnection } from "./cluster/connection.ts";
export { serviceAccountDir } from "./cluster/in_cluster.ts";
export { KubeClient } from "./cluster/kube_client.ts";
export { KubeError } from "./cluster/kube_error.ts";
export { readCluster } from "./cluster/read_cluster.ts";
export { type ManifestPlan, planFiles, planOverCluster } from "./manifest_plan.ts";
export type { Diagnostic } from "./manifest_review.ts";
export type { PathPreview, PlanPreview, RulePreview } from "./plan_preview.ts";
export { type ManifestInput, readManifests } from "./read_manifests.ts";
export {
  type OperatorEvent,
  OperatorLoop,
  type OperatorSettings,
} from "./cluster/operator_loop.ts";
export { type OperatorLease, operatorLeases } from "./cluster/operator_lease.ts";
export { restoreCluster, type RestoreWrite } from "./cluster/restore_cluster.ts";
export { RestoreLease } from "./cluster/restore_lease.ts";
export type { ClusterWrite } from "./plan/cluster_write.ts";
export type { IngressChange } from "./plan/ingress_changes.ts";
export type { ClusterPlanOptions } from "./plan/plan_options.ts";
