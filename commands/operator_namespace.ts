import {
  type KubeClient,
  type KubeConnection,
  type OperatorLease,
  operatorLeases,
} from "../controller/mod.ts";
import { operatorName, type ServiceFlags } from "./cluster_flags.ts";

/** Where an operator runs, and who leads it if it is alive: by its Lease. */
export async function findOperator(
  client: KubeClient,
  { namespace: fallback }: KubeConnection,
  { operatorNamespace: namespace }: ServiceFlags,
): Promise<OperatorLease> {
  const now = Date.now();
  const leases = await operatorLeases(client, operatorName, { namespace, fallback, now });
  const alive = leases.find(({ holder }) => holder !== undefined);
  return alive ?? leases[0] ?? { namespace: namespace ?? fallback };
}
