import {
  type KubeClient,
  type KubeConnection,
  KubeError,
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

/** The same for those who write nothing: who may not look at Leases sees no operator. */
export async function seenOperator(
  client: KubeClient,
  connection: KubeConnection,
  flags: ServiceFlags,
): Promise<OperatorLease> {
  try {
    return await findOperator(client, connection, flags);
  } catch (error) {
    if (!(error instanceof KubeError && error.status === 403)) throw error;
    return { namespace: flags.operatorNamespace ?? connection.namespace };
  }
}
