import type { ObjectName } from "../cluster_state.ts";

/** Group and version of everything that the operator reads or writes. */
const groups = {
  x402routes: "/apis/x402.io/v1alpha1",
  ingresses: "/apis/networking.k8s.io/v1",
  services: "/api/v1",
  endpointslices: "/apis/discovery.k8s.io/v1",
  events: "/apis/events.k8s.io/v1",
} as const;

export type KubeResource = keyof typeof groups;

/** Path of the objects of a kind in one namespace, or in all of them. */
export function listPath(resource: KubeResource, namespace?: string): string {
  const scope = namespace === undefined ? "" : `/namespaces/${namespace}`;
  return `${groups[resource]}${scope}/${resource}`;
}

export function objectPath(resource: KubeResource, { namespace, name }: ObjectName): string {
  return `${listPath(resource, namespace)}/${name}`;
}

/** What an Event or owner reference says of an object of the kind. */
export const kinds = {
  x402routes: { apiVersion: "x402.io/v1alpha1", kind: "X402Route" },
  ingresses: { apiVersion: "networking.k8s.io/v1", kind: "Ingress" },
} as const;
