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

/** Where the gateway's own Service leads to, by address type; ports by number are its target ports. */
export function ownEndpoints(
  { services, endpointSlices }: GatewaySurroundings,
  { own, port }: GatewayAddress,
) {
  const portName = services.get(keyOf(own))?.spec.ports?.find((each) => each.port === port)?.name;
  const slices = endpointSlices
    .filter(({ metadata }) =>
      metadata.namespace === own.namespace && metadata.labels?.[sliceServiceLabel] === own.name
    )
    .sort((a, b) => byName(a.metadata, b.metadata));
  const byType = new Map<string, { port: number; endpoints: Endpoint[] }>();
  for (const { addressType, endpoints, ports } of slices) {
    const target = ports?.find(({ name }) => (name ?? "") === (portName ?? ""))?.port ?? port;
    const entry = byType.get(addressType) ?? { port: target, endpoints: [] };
    // Copied: what is planned gets frozen.
    entry.endpoints.push(...structuredClone(endpoints ?? []));
    byType.set(addressType, entry);
  }
  for (const { endpoints } of byType.values()) {
    endpoints.sort((a, b) => compare(a.addresses[0] ?? "", b.addresses[0] ?? ""));
  }
  return byType;
}

type Endpoint = NonNullable<EndpointSlice["endpoints"]>[number];

/** What the EndpointSlices of a namespace have to be; its Service has to be there first. */
export function wantedSlices(
  namespace: string,
  service: Service | undefined,
  targets: ReturnType<typeof ownEndpoints>,
  { own, serviceName, way }: GatewayAddress,
): EndpointSlice[] {
  if (service?.metadata.uid === undefined || way === "external-name") return [];
  const owner = { apiVersion: "v1", kind: "Service", name: serviceName, uid: service.metadata.uid };
  return [...targets].map(([addressType, { port, endpoints }]) => ({
    apiVersion: "discovery.k8s.io/v1",
    metadata: {
      namespace,
      name: `${serviceName}-${addressType.toLowerCase()}`,
      labels: {
        [sliceServiceLabel]: serviceName,
        [sliceManagerLabel]: managedBy,
        [managedByLabel]: managedBy,
        [gatewayOfLabel]: own.namespace,
      },
      ownerReferences: [owner],
    },
    addressType,
    endpoints,
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
