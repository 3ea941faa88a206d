import type { z } from "zod";
import {
  type EndpointSlice,
  endpointSliceSchema,
  type Ingress,
  ingressSchema,
  type ObjectName,
  type RawObject,
  type Service,
  serviceSchema,
} from "../cluster_state.ts";
import { managedBy, sliceManagerLabel, sliceServiceLabel } from "../plan/gateway_slices.ts";
import { type KubeResource, listPath } from "./kube_paths.ts";
import type { ReflectorOptions, WatchedResource } from "./reflector.ts";
import type { KubeObject } from "./watch_stream.ts";

/** One list of the API server, and how an object of it is read; `read` throws when it cannot be. */
export interface ClusterList<T> {
  readonly resource: WatchedResource;
  readonly read: (object: KubeObject) => T;
  readonly unreadable?: NonNullable<ReflectorOptions<T>["unreadable"]>;
}

/** All lists that a plan is made of, by kind. */
export interface ClusterLists {
  readonly routes: readonly ClusterList<RawObject>[];
  readonly ingresses: readonly ClusterList<Ingress>[];
  readonly services: readonly ClusterList<Service>[];
  readonly endpointSlices: readonly ClusterList<EndpointSlice>[];
}

/**
 * @param namespaces empty: all of them
 * @param own the operator's own Service, wherever it is
 */
export function clusterLists(namespaces: readonly string[], own: ObjectName): ClusterLists {
  const scopes = namespaces.length === 0 ? [undefined] : namespaces;
  const everywhere = (kind: KubeResource, query: Query = {}) =>
    scopes.map((namespace) => ({ path: listPath(kind, namespace), query }));
  const isWatched = namespaces.length === 0 || namespaces.includes(own.namespace);
  const ownService = {
    path: listPath("services", own.namespace),
    query: { fieldSelector: `metadata.name=${own.name}` },
  };
  const ownSlices = {
    path: listPath("endpointslices", own.namespace),
    query: { labelSelector: `${sliceServiceLabel}=${own.name}` },
  };
  const madeSlices = { labelSelector: `${sliceManagerLabel}=${managedBy}` };
  return {
    routes: everywhere("x402routes").map((resource) => ({ resource, read: (object) => object })),
    ingresses: everywhere("ingresses")
      .map(reader<Ingress>("networking.k8s.io/v1", ingressSchema))
      .map((list) => ({ ...list, unreadable: unreadableIngress })),
    services: [...everywhere("services"), ...(isWatched ? [] : [ownService])]
      .map(reader("v1", serviceSchema)),
    endpointSlices: [...everywhere("endpointslices", madeSlices), ownSlices]
      .map(reader("discovery.k8s.io/v1", endpointSliceSchema)),
  };
}

type Query = NonNullable<WatchedResource["query"]>;

/** It is there, which is not nothing: nobody may take its way to the gateway away. */
function unreadableIngress(
  { metadata }: KubeObject,
  unreadable: string,
  before?: Ingress,
): Ingress {
  const apiVersion = "networking.k8s.io/v1";
  const nothing: Ingress = { apiVersion, metadata: metadata as Ingress["metadata"], spec: {} };
  return { ...(before ?? nothing), unreadable };
}

/** Keeps what the plan reads. Objects of a list come without their apiVersion. */
function reader<T>(apiVersion: string, schema: z.ZodType<T>) {
  return (resource: WatchedResource): ClusterList<T> => ({
    resource,
    read(object) {
      const parsed = schema.safeParse({ ...object, apiVersion });
      if (parsed.success) return parsed.data;
      const [issue] = parsed.error.issues;
      throw new Error(`${issue!.path.join(".")}: ${issue!.message}`);
    },
  });
}
