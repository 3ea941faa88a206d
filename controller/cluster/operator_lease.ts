import type { KubeClient } from "./kube_client.ts";
import { KubeError } from "./kube_error.ts";
import type { Lease } from "./lease_record.ts";

/** Where an operator runs, or has run, and whether it is alive. */
export interface OperatorLease {
  readonly namespace: string;
  /** Who leads; absent when nobody does. */
  readonly holder?: string;
  /** How long ago the holder was last heard of; there together with it. */
  readonly renewedMsAgo?: number;
}

/**
 * The Leases of operators.
 *
 * @param name of the Lease
 * @param namespace where to look; when left out everywhere, and in `fallback` if that is not allowed
 * @param now milliseconds since 1970: whether a Lease has expired is judged by this clock, because
 * nobody waits here to see whether it is renewed
 */
export async function operatorLeases(
  client: KubeClient,
  name: string,
  { namespace, fallback, now }: { namespace?: string | undefined; fallback: string; now: number },
): Promise<OperatorLease[]> {
  const list = async (namespace?: string) => {
    const scope = namespace === undefined ? "" : `/namespaces/${namespace}`;
    const path = `/apis/coordination.k8s.io/v1${scope}/leases`;
    const query = { fieldSelector: `metadata.name=${name}` };
    return (await client.request<{ items?: Lease[] | null }>("GET", path, { query })).items ?? [];
  };
  const leases = await list(namespace).catch((error) => {
    if (namespace !== undefined || !(error instanceof KubeError && error.status === 403)) {
      throw error;
    }
    return list(fallback);
  });
  return leases.map(({ metadata, spec }) => {
    const { holderIdentity: holder, renewTime, leaseDurationSeconds = 0 } = spec ?? {};
    const age = now - Date.parse(renewTime ?? "");
    const isHeld = holder && age < leaseDurationSeconds * 1000;
    return { namespace: metadata.namespace, ...(isHeld && { holder, renewedMsAgo: age }) };
  });
}
