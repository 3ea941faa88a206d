import { type ClusterState, keyOf, noObservations, type ObjectName } from "../cluster_state.ts";
import { type ClusterList, clusterLists } from "./cluster_lists.ts";
import type { KubeClient } from "./kube_client.ts";
import { KubeError } from "./kube_error.ts";
import type { KubeObject } from "./watch_stream.ts";

/** The state of a cluster at one moment, and what of it cannot be used. */
export interface ClusterReading {
  readonly state: ClusterState;
  /** One sentence for each object that is not as it has to be. */
  readonly refused: readonly string[];
}

/** Objects in one answer: a page of large Ingresses stays below a few MiB. */
const pageSize = 500;

/**
 * Lists what a plan is made of, once and without watching it. A cluster without our CRD has no
 * X402Routes.
 *
 * @param namespaces empty: all of them
 * @param own the operator's own Service
 * @throws {KubeError} when a list cannot be had
 */
export async function readCluster(
  client: KubeClient,
  namespaces: readonly string[],
  own: ObjectName,
): Promise<ClusterReading> {
  const lists = clusterLists(namespaces, own);
  const refused: string[] = [];
  const all = async <T>(of: readonly ClusterList<T>[]) =>
    (await Promise.all(of.map((list) => readList(client, list, refused)))).flat();
  const [routes, ingresses, services, endpointSlices] = await Promise.all([
    all(lists.routes).catch(noneWithoutCrd),
    all(lists.ingresses),
    all(lists.services),
    all(lists.endpointSlices),
  ]);
  const state = {
    routes,
    ingresses,
    services,
    endpointSlices,
    ...noObservations,
  };
  return { state, refused };
}

async function readList<T>(
  client: KubeClient,
  { resource: { path, query }, read, unreadable }: ClusterList<T>,
  refused: string[],
): Promise<T[]> {
  const objects: T[] = [];
  let more = "";
  do {
    const page = await client.request<KubeList>("GET", path, {
      query: { ...query, limit: pageSize, ...(more !== "" && { continue: more }) },
    });
    const { apiVersion, kind } = page;
    for (const item of page.items ?? []) {
      try {
        objects.push(read({ apiVersion, kind: kind.replace(/List$/, ""), ...item }));
      } catch (error) {
        const resource = path.split("/").at(-1);
        const reason = (error as Error).message;
        refused.push(`${resource} ${keyOf(item.metadata)}: ${reason}`);
        if (unreadable !== undefined) objects.push(unreadable(item, reason, undefined));
      }
    }
    more = page.metadata.continue ?? "";
  } while (more !== "");
  return objects;
}

interface KubeList {
  readonly apiVersion: string;
  /** `IngressList` */
  readonly kind: string;
  readonly metadata: { readonly continue?: string };
  readonly items?: readonly KubeObject[] | null;
}

function noneWithoutCrd(error: unknown): [] {
  if (error instanceof KubeError && error.status === 404) return [];
  throw error;
}
