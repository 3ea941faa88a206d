import type {
  EventsV1Event,
  V1ClusterRole,
  V1ClusterRoleBinding,
  V1ConfigMap,
  V1CustomResourceDefinition,
  V1Deployment,
  V1EndpointSlice,
  V1Ingress,
  V1Lease,
  V1Namespace,
  V1Pod,
  V1Role,
  V1RoleBinding,
  V1Secret,
  V1Service,
  V1ServiceAccount,
} from "@kubernetes/client-node";
import type { X402RouteSpec } from "../../crd/x402route.ts";
import type { X402RouteStatus } from "../../crd/x402route_status.ts";

/** The kinds that tests deal with, and the type of each. */
export interface Kinds {
  ClusterRole: V1ClusterRole;
  ClusterRoleBinding: V1ClusterRoleBinding;
  ConfigMap: V1ConfigMap;
  CustomResourceDefinition: V1CustomResourceDefinition;
  Deployment: V1Deployment;
  EndpointSlice: V1EndpointSlice;
  Event: EventsV1Event;
  Ingress: V1Ingress;
  Lease: V1Lease;
  Namespace: V1Namespace;
  Pod: V1Pod;
  Role: V1Role;
  RoleBinding: V1RoleBinding;
  Secret: V1Secret;
  Service: V1Service;
  ServiceAccount: V1ServiceAccount;
  X402Route: { readonly spec: X402RouteSpec; readonly status?: X402RouteStatus };
}

export type Kind = keyof Kinds;

/** What the API server adds to the metadata of every object. Times are RFC 3339 strings. */
export interface LiveMetadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
  readonly managedFields?: readonly { readonly manager: string; readonly operation: string }[];
}

interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** An object as the API server returns it. */
export type Live<K extends Kind> = Omit<Kinds[K], "metadata" | "apiVersion" | "kind"> & {
  readonly apiVersion: string;
  readonly kind: K;
  readonly metadata: LiveMetadata;
};

const core = "/api/v1";
const rbac = "/apis/rbac.authorization.k8s.io/v1";

/** API group and plural of each kind; those of the first list have no namespace. */
const clusterScoped: { readonly [kind in Kind]?: readonly [group: string, plural: string] } = {
  ClusterRole: [rbac, "clusterroles"],
  ClusterRoleBinding: [rbac, "clusterrolebindings"],
  CustomResourceDefinition: ["/apis/apiextensions.k8s.io/v1", "customresourcedefinitions"],
  Namespace: [core, "namespaces"],
};

const namespaced: { readonly [kind in Kind]?: readonly [group: string, plural: string] } = {
  ConfigMap: [core, "configmaps"],
  Deployment: ["/apis/apps/v1", "deployments"],
  EndpointSlice: ["/apis/discovery.k8s.io/v1", "endpointslices"],
  Event: ["/apis/events.k8s.io/v1", "events"],
  Ingress: ["/apis/networking.k8s.io/v1", "ingresses"],
  Lease: ["/apis/coordination.k8s.io/v1", "leases"],
  Pod: [core, "pods"],
  Role: [rbac, "roles"],
  RoleBinding: [rbac, "rolebindings"],
  Secret: [core, "secrets"],
  Service: [core, "services"],
  ServiceAccount: [core, "serviceaccounts"],
  X402Route: ["/apis/x402.io/v1alpha1", "x402routes"],
};

/** The path of a collection; of all namespaces when none is named. */
export function collectionPath(kind: Kind, namespace?: string): string {
  const [group, plural] = namespaced[kind] ?? clusterScoped[kind]!;
  const within = kind in namespaced && namespace !== undefined ? `/namespaces/${namespace}` : "";
  return `${group}${within}/${plural}`;
}
