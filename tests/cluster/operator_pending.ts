/** What the plan still wants of a cluster. */
import { readCluster } from "../../controller/cluster/read_cluster.ts";
import { statusUpdate } from "../../controller/cluster/status_update.ts";
import { keyOf } from "../../controller/cluster_state.ts";
import { noMemory, plan } from "../../controller/plan/plan.ts";
import type { ClusterPlanOptions } from "../../controller/plan/plan_options.ts";
import { AdminClient } from "./admin_client.ts";
import type { TestCluster } from "./test_cluster.ts";

/** Notes of the writes that the cluster lacks for being as the plan wants it. */
export async function pendingWrites(
  { access }: TestCluster,
  operatorNamespace: string,
): Promise<string[]> {
  const own = { namespace: operatorNamespace, name: "x402-k8s-operator" };
  const options: ClusterPlanOptions = {
    allowExternalName: true,
    allowedFacilitatorHosts: [],
    clusterDomain: "cluster.local",
    gateway: { own, serviceName: "x402-gateway", port: 8402, way: "endpoint-slices" },
  };
  using client = new AdminClient(access);
  const { state } = await readCluster(client, [], own);
  const { writes, statuses } = plan(state, options, noMemory);
  const routes = new Map(state.routes.map((route) => [keyOf(route.metadata), route]));
  const outdated = statuses.filter((status) =>
    statusUpdate(routes.get(keyOf(status))!, status, new Date()) !== undefined
  );
  return [
    ...writes.map((write) => `${write.resource} ${keyOf(write)}: ${write.note}`),
    ...outdated.map((status) => `status of ${keyOf(status)}`),
  ];
}
