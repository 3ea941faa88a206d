import { type EndpointSlice, keyOf, type Service } from "../cluster_state.ts";
import { type ClusterWrite, guardedPatch } from "./cluster_write.ts";
import { byName, compare } from "./object_order.ts";
import { gatewayOfLabel, isMadeBy } from "./gateway_backend.ts";
import type { GatewayAddress } from "./plan_options.ts";

/** Whose a Service, or an EndpointSlice, is. */
export const managedByLabel = "app.kubernetes.io/managed-by";
export const sliceManagerLabel = "endpointslice.kubernetes.io/managed-by";
export const managedBy = "x402-k8s-operator";
/** The Service that an EndpointSlice belongs to. */
export const sliceServiceLabel = "kubernetes.io/service-name";

/** What is read of the cluster here; Services by `namespace/name`. */
export interface GatewaySurroundings {
  readonly services: ReadonlyMap<string, Service>;
  readonly endpointSlices: readonly EndpointSlice[];
}

/** The EndpointSlices that the operator has made in a namespace. */
export function ourSlices(
  { endpointSlices }: GatewaySurroundings,
  gateway: GatewayAddress,
  namespace: string,
): EndpointSlice[] {
  return endpointSlices.filter((slice) =>
    slice.metadata.namespace === namespace && isMadeBy(gateway, slice) &&
    slice.metadata.labels?.[sliceServiceLabel] === gateway.serviceName
  );
}

/** Addresses of one type with one port: what fits into one EndpointSlice. */
export interface GatewayTarget {
  readonly addressType: string;
  readonly port: number;
  readonly endpoints: readonly Endpoint[];
}

/** Where the gateway's own Service leads to, or why it leads nowhere. */
export function ownTargets(
  { services, endpointSlices }: GatewaySurroundings,
  { own, port }: GatewayAddress,
): { readonly targets: readonly GatewayTarget[] } | { readonly problem: string } {
  const name = `the operator's own Service ${keyOf(own)}`;
  const service = services.get(keyOf(own));
  if (service === undefined) return { problem: `${name} does not exist` };
  const { ports = [] } = service.spec;
  const named = ports.find((each) => each.port === port);
  if (named === undefined) {
    const there = ports.map((each) => each.port).join(", ") || "none";
    return { problem: `${name} has no port ${port}; its ports: ${there}` };
  }
  const targets = new Map<string, GatewayTarget & { readonly endpoints: Endpoint[] }>();
  const slices = endpointSlices
    .filter(({ metadata }) =>
      metadata.namespace === own.namespace && metadata.labels?.[sliceServiceLabel] === own.name
    )
    .sort((a, b) => byName(a.metadata, b.metadata));
  for (const { addressType, endpoints, ports } of slices) {
    // Pods of two versions may listen on two ports, and come in two slices.
    const target = ports?.find(({ name }) => (name ?? "") === (named.name ?? ""))?.port;
    if (target === undefined) continue;
    const key = `${addressType} ${target}`;
    const entry = targets.get(key) ?? { addressType, port: target, endpoints: [] };
    // Copied: what is planned gets frozen.
    entry.endpoints.push(...structuredClone(endpoints ?? []));
    targets.set(key, entry);
  }
  for (const { endpoints } of targets.values()) {
    endpoints.sort((a, b) => compare(a.addresses[0] ?? "", b.addresses[0] ?? ""));
  }
  return { targets: [...targets.values()] };
}

/** Whether any of the endpoints takes requests. */
export function hasReady(endpoints: readonly Endpoint[] | null | undefined): boolean {
  return endpoints?.some(({ conditions }) => conditions?.ready !== false) ?? false;
}

type Endpoint = NonNullable<EndpointSlice["endpoints"]>[number];

/** What the EndpointSlices of a namespace have to be; its Service has to be there first. */
export function wantedSlices(
  namespace: string,
  service: Service | undefined,
  targets: readonly GatewayTarget[],
  { own, serviceName, port: usual, way }: GatewayAddress,
): EndpointSlice[] {
  if (service?.metadata.uid === undefined || way === "external-name") return [];
  const owner = { apiVersion: "v1", kind: "Service", name: serviceName, uid: service.metadata.uid };
  return targets.map(({ addressType, port, endpoints }) => ({
    apiVersion: "discovery.k8s.io/v1",
    metadata: {
      namespace,
      name: `${serviceName}-${addressType.toLowerCase()}${port === usual ? "" : `-${port}`}`,
      labels: {
        [sliceServiceLabel]: serviceName,
        [sliceManagerLabel]: managedBy,
        [managedByLabel]: managedBy,
        [gatewayOfLabel]: own.namespace,
      },
      ownerReferences: [owner],
    },
    addressType,
    endpoints: [...endpoints],
    ports: [{ name: "http", port, protocol: "TCP" }],
  }));
}

/** What makes the EndpointSlices of a namespace those that are wanted. */
export function sliceWrites(
  wanted: readonly EndpointSlice[],
  present: readonly EndpointSlice[],
): ClusterWrite[] {
  const writes: ClusterWrite[] = [];
  for (const slice of wanted) {
    const { namespace, name } = slice.metadata;
    const there = present.find(({ metadata }) => metadata.name === name);
    const base = { namespace, name, resource: "endpointslices" as const };
    if (there === undefined) {
      const body = { ...slice, kind: "EndpointSlice" };
      writes.push({ ...base, verb: "create", body, note: "addresses of the gateway" });
    } else if (!sameTargets(there, slice)) {
      const { resourceVersion = "" } = there.metadata;
      writes.push({
        ...base,
        verb: "patch",
        resourceVersion,
        operations: guardedPatch(resourceVersion, [
          { op: "add", path: "/endpoints", value: slice.endpoints },
          { op: "add", path: "/ports", value: slice.ports },
        ]),
        note: "addresses of the gateway",
      });
    }
  }
  const names = new Set(wanted.map(({ metadata }) => metadata.name));
  const outdated = present.filter(({ metadata }) => !names.has(metadata.name));
  return [
    ...writes,
    ...outdated.map((slice) => deletion("endpointslices", slice, "no such address", false)),
  ];
}

function sameTargets(a: EndpointSlice, b: EndpointSlice): boolean {
  const targets = ({ endpoints, ports }: EndpointSlice) => JSON.stringify([endpoints ?? [], ports]);
  return targets(a) === targets(b);
}

/** `later`: once proxies have had time to forget the object. */
export function deletion(
  resource: "services" | "endpointslices",
  { metadata: { namespace, name, resourceVersion = "" } }: Service | EndpointSlice,
  note: string,
  later: boolean,
): ClusterWrite {
  return { resource, verb: "delete", namespace, name, resourceVersion, later, note };
}
