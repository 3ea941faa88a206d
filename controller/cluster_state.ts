import { z } from "zod";
import type { SupportedKind } from "../store/facilitator_support.ts";

/** Names in Kubernetes are unique per kind, namespace and name. */
export interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

/** An object as it was read, with nothing checked but its name; sources fill in the namespace. */
export interface RawObject {
  readonly metadata: ObjectName & Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

const metadata = z.object({
  name: z.string(),
  namespace: z.string(),
  uid: z.string().exactOptional(),
  resourceVersion: z.string().exactOptional(),
  creationTimestamp: z.string().nullable().exactOptional(),
  deletionTimestamp: z.string().nullable().exactOptional(),
  annotations: z.record(z.string(), z.string()).nullable().exactOptional(),
  labels: z.record(z.string(), z.string()).nullable().exactOptional(),
});

const port = z.int().min(1).max(65535);

/**
 * What Kubernetes takes for a host: a DNS name (RFC 1123, but for the length of its labels), or one
 * whose first label is `*`.
 */
const host = z.string().max(253).regex(
  /^$|^(\*\.)?(?!(\d+\.){3}\d+$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/i,
  'a host is a DNS name such as "api.example.com" or "*.example.com", without a port',
);

const path = z.string().regex(/^(\/|$)/, 'a path starts with "/"');

/** Sequences that Kubernetes allows in paths of type ImplementationSpecific only. */
const notCanonical = /\/\/|\/\.{1,2}(\/|$)|%2f/i;

export const ingressBackendSchema = z.object({
  service: z.object({
    name: z.string(),
    port: z.object({ name: z.string().exactOptional(), number: port.exactOptional() })
      .exactOptional(),
  }).exactOptional(),
  /** Anything but a Service, such as a bucket: carried along, never called. */
  resource: z.record(z.string(), z.string().nullable()).exactOptional(),
});

const ingressPath = z.object({
  path: path.exactOptional(),
  pathType: z.enum(["Exact", "Prefix", "ImplementationSpecific"]),
  backend: ingressBackendSchema,
}).refine(
  ({ path = "/", pathType }) =>
    pathType === "ImplementationSpecific" || (path !== "" && !notCanonical.test(path)),
  {
    path: ["path"],
    message: 'a path of type Exact or Prefix starts with "/" and has no "//", "/./", "/../" or %2F',
  },
);

/** The part of an Ingress (networking.k8s.io/v1) that the plan reads. */
export const ingressSchema = z.object({
  apiVersion: z.literal("networking.k8s.io/v1"),
  metadata,
  spec: z.object({
    ingressClassName: z.string().exactOptional(),
    defaultBackend: ingressBackendSchema.exactOptional(),
    tls: z.array(z.object({ hosts: z.array(host).exactOptional() })).exactOptional(),
    rules: z.array(z.object({
      host: host.exactOptional(),
      http: z.object({ paths: z.array(ingressPath) }).exactOptional(),
    })).exactOptional(),
  }),
});
export type Ingress = z.output<typeof ingressSchema> & {
  /** Why the object cannot be read as it is now; the rest is what was known of it before. */
  readonly unreadable?: string;
};
export type IngressBackend = z.output<typeof ingressBackendSchema>;

/** The part of a Service (v1) that the plan reads. */
export const serviceSchema = z.object({
  apiVersion: z.literal("v1"),
  metadata,
  spec: z.object({
    type: z.string().exactOptional(),
    clusterIP: z.string().exactOptional(),
    externalName: z.string().exactOptional(),
    selector: z.record(z.string(), z.string()).nullable().exactOptional(),
    ports: z.array(z.object({
      name: z.string().exactOptional(),
      port,
      protocol: z.string().exactOptional(),
      targetPort: z.union([port, z.string()]).exactOptional(),
      appProtocol: z.string().exactOptional(),
    })).exactOptional(),
  }),
});
export type Service = z.output<typeof serviceSchema>;

/** The part of an EndpointSlice (discovery.k8s.io/v1) that the plan reads and writes. */
export const endpointSliceSchema = z.object({
  apiVersion: z.literal("discovery.k8s.io/v1"),
  metadata,
  addressType: z.string(),
  endpoints: z.array(z.object({
    addresses: z.array(z.string()),
    conditions: z.record(z.string(), z.boolean()).exactOptional(),
    nodeName: z.string().exactOptional(),
    zone: z.string().exactOptional(),
  })).nullable().exactOptional(),
  ports: z.array(z.object({
    name: z.string().exactOptional(),
    port: port.exactOptional(),
    protocol: z.string().exactOptional(),
  })).nullable().exactOptional(),
});
export type EndpointSlice = z.output<typeof endpointSliceSchema>;

/** What a source (folder or cluster) delivers and `plan()` reads; the order of the lists is nothing. */
export interface ClusterState extends Observations {
  readonly routes: readonly RawObject[];
  readonly ingresses: readonly Ingress[];
  readonly services: readonly Service[];
  /** Those of the operator's own Service, and those that the operator has made. */
  readonly endpointSlices: readonly EndpointSlice[];
}

/** What is not read, but seen by a program that runs: commands that plan once have none of it. */
export interface Observations {
  /** Ingresses (`namespace/name`) that have led to the gateway a moment ago. */
  readonly ledLately: ReadonlySet<string>;
  /** What the API server said to the last write of an object (`ingresses shop/api`), if it failed. */
  readonly writeProblems: ReadonlyMap<string, WriteProblem>;
  /** By URL: what a facilitator has said last of what it supports; sorted. */
  readonly facilitatorSupport: ReadonlyMap<string, readonly SupportedKind[]>;
}

export const noObservations: Observations = {
  ledLately: new Set(),
  writeProblems: new Map(),
  facilitatorSupport: new Map(),
};

/** Why an object is not as the plan wants it, although it was written. */
export interface WriteProblem {
  readonly reason: "PatchFailed" | "Reverted";
  readonly message: string;
}

/** `namespace/name`, the key of an object among those of its kind. */
export function keyOf({ namespace, name }: ObjectName): string {
  return `${namespace}/${name}`;
}
