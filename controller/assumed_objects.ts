import { parseX402Route } from "../crd/x402route.ts";
import {
  type ClusterState,
  type EndpointSlice,
  keyOf,
  type ObjectName,
  type Service,
} from "./cluster_state.ts";
import { backendSlots } from "./plan/backend_slots.ts";
import { gatewayServiceName } from "./plan/gateway_backend.ts";
import { sliceServiceLabel } from "./plan/gateway_slices.ts";
import type { GatewayAddress } from "./plan/plan_options.ts";

/** A Service that an object names and that is not there. */
export interface MissingService {
  /** `Ingress shop/api` */
  readonly object: string;
  /** In the object, where it is named first. */
  readonly path: readonly (string | number)[];
  /** `namespace/name` */
  readonly service: string;
}

/** Where an object names a Service, and a port of it. */
interface NamedBackend extends Pick<MissingService, "object" | "path"> {
  readonly name: ObjectName;
  readonly port: { readonly name?: string | undefined; readonly number?: number | undefined };
}

/** The Services that are named and not there, each told once per object; not what the operator makes. */
export function missingServices(state: ClusterState, gateway: GatewayAddress): MissingService[] {
  const present = new Set(state.services.map(({ metadata }) => keyOf(metadata)));
  const missing = new Map<string, MissingService>();
  for (const { object, path, name } of namedBackends(state)) {
    const service = keyOf(name);
    const key = `${object} ${service}`;
    if (name.name === gatewayServiceName(gateway, name.namespace)) continue;
    if (!present.has(service) && !missing.has(key)) missing.set(key, { object, path, service });
  }
  return [...missing.values()];
}

/** The state with the Services that are named and not there, with the ports named. */
export function withAssumedServices(state: ClusterState, gateway: GatewayAddress): ClusterState {
  const missing = new Set(missingServices(state, gateway).map(({ service }) => service));
  const assumed = new Map<string, Service>();
  for (const { name, port: { name: portName, number } } of namedBackends(state)) {
    const key = keyOf(name);
    if (!missing.has(key)) continue;
    const known = assumed.get(key)?.spec.ports ?? [];
    const port = { port: number ?? 80, ...(portName !== undefined && { name: portName }) };
    assumed.set(key, service(name, [...known, port]));
  }
  return { ...state, services: [...state.services, ...assumed.values()] };
}

/** The state with an operator that is installed and ready. */
export function withAssumedOperator(state: ClusterState, gateway: GatewayAddress): ClusterState {
  return {
    ...state,
    services: [...state.services, ownService(gateway)],
    endpointSlices: [...state.endpointSlices, ownSlice(gateway)],
  };
}

/** All that Ingresses name, and X402Routes with `ingressRef.mode: Manual`. */
function* namedBackends({ ingresses, routes }: ClusterState): Generator<NamedBackend> {
  for (const ingress of ingresses) {
    const { namespace } = ingress.metadata;
    for (const { backend: { service }, pointer } of backendSlots(ingress)) {
      if (service === undefined) continue;
      const path = pointer.slice(1).split("/").map((key) => /^\d+$/.test(key) ? Number(key) : key);
      const object = `Ingress ${keyOf(ingress.metadata)}`;
      yield { object, path, name: { namespace, name: service.name }, port: service.port ?? {} };
    }
  }
  for (const raw of routes) {
    const parsed = parseX402Route(raw);
    if (!parsed.ok) continue;
    const { namespace } = raw.metadata;
    for (const [index, { backend }] of parsed.route.spec.routes.entries()) {
      if (backend === undefined) continue;
      const { name, port } = backend.service;
      const path = ["spec", "routes", index, "backend"];
      const object = `X402Route ${keyOf(raw.metadata)}`;
      yield { object, path, name: { namespace, name }, port };
    }
  }
}

function service(
  { namespace, name }: ObjectName,
  ports: NonNullable<Service["spec"]["ports"]>,
): Service {
  return { apiVersion: "v1", metadata: { namespace, name }, spec: { ports } };
}

function ownService({ own, port }: GatewayAddress): Service {
  return service(own, [{ name: "http", port }]);
}

function ownSlice({ own, port }: GatewayAddress): EndpointSlice {
  const { namespace, name } = own;
  return {
    apiVersion: "discovery.k8s.io/v1",
    metadata: { namespace, name, labels: { [sliceServiceLabel]: name } },
    addressType: "IPv4",
    endpoints: [{ addresses: ["192.0.2.1"], conditions: { ready: true } }],
    ports: [{ name: "http", port }],
  };
}
