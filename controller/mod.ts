/** The controller's door: what the rest of the program may use of it. */
export { type ManifestLoop, startManifestLoop } from "./reconcile_loop.ts";
export type { ManifestEvent } from "./manifest_event.ts";
export { type ConnectionFlags, findConnection, type KubeConnection } from "./cluster/connection.ts";
export { serviceAccountDir } from "./cluster/in_cluster.ts";
export { KubeClient } from "./cluster/kube_client.ts";
export {
  type OperatorEvent,
  OperatorLoop,
  type OperatorSettings,
} from "./cluster/operator_loop.ts";
export type { ClusterPlanOptions } from "./plan/plan_options.ts";
