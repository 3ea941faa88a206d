import { z } from "zod";

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
  creationTimestamp: z.string().nullable().exactOptional(),
  annotations: z.record(z.string(), z.string()).nullable().exactOptional(),
});

const ingressBackend = z.object({
  service: z.object({
    name: z.string(),
    port: z.object({ name: z.string().exactOptional(), number: z.int().exactOptional() })
      .exactOptional(),
  }).exactOptional(),
});

const ingressPath = z.object({
  path: z.string().exactOptional(),
  pathType: z.enum(["Exact", "Prefix", "ImplementationSpecific"]),
  backend: ingressBackend,
});

/** The part of an Ingress (networking.k8s.io/v1) that the plan reads. */
export const ingressSchema = z.object({
  apiVersion: z.literal("networking.k8s.io/v1"),
  metadata,
  spec: z.object({
    defaultBackend: ingressBackend.exactOptional(),
    tls: z.array(z.object({ hosts: z.array(z.string()).exactOptional() })).exactOptional(),
    rules: z.array(z.object({
      host: z.string().exactOptional(),
      http: z.object({ paths: z.array(ingressPath) }).exactOptional(),
    })).exactOptional(),
  }),
});
export type Ingress = z.output<typeof ingressSchema>;
export type IngressBackend = z.output<typeof ingressBackend>;

/** The part of a Service (v1) that the plan reads. */
export const serviceSchema = z.object({
  apiVersion: z.literal("v1"),
  metadata,
  spec: z.object({
    type: z.string().exactOptional(),
    clusterIP: z.string().exactOptional(),
    externalName: z.string().exactOptional(),
    ports: z.array(z.object({
      name: z.string().exactOptional(),
      port: z.int(),
      protocol: z.string().exactOptional(),
      targetPort: z.union([z.int(), z.string()]).exactOptional(),
    })).exactOptional(),
  }),
});
export type Service = z.output<typeof serviceSchema>;

/** What a source (folder or cluster) delivers and `plan()` reads; the order of the lists is nothing. */
export interface ClusterState {
  readonly routes: readonly RawObject[];
  readonly ingresses: readonly Ingress[];
  readonly services: readonly Service[];
}

/** `namespace/name`, the key of an object among those of its kind. */
export function keyOf({ namespace, name }: ObjectName): string {
  return `${namespace}/${name}`;
}
