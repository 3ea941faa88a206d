import {
  type ClusterState,
  type EndpointSlice,
  type Ingress,
  keyOf,
  type ObjectName,
  type Service,
} from "./cluster_state.ts";
import { backendSlots } from "./plan/backend_slots.ts";
import { sliceServiceLabel } from "./plan/gateway_slices.ts";
import type { GatewayAddress } from "./plan/plan_options.ts";

/** A Service that an Ingress names and that is not there. */
export interface MissingService {
  readonly ingress: ObjectName;
  /** In the Ingress, where it is named first. */
  readonly path: readonly (string | number)[];
  /** `namespace/name` */
  readonly service: string;
}

/** The Services that Ingresses name and that are not there, each told once per Ingress. */
export function missingServices({ ingresses, services }: ClusterState): MissingService[] {
  const present = new Set(services.map(({ metadata }) => keyOf(metadata)));
  return ingresses.flatMap((ingress) => {
    const { namespace } = ingress.metadata;
    const missing = new Map<string, MissingService>();
    for (const { backend, pointer } of backendSlots(ingress)) {
      if (backend.service === undefined) continue;
      const service = keyOf({ namespace, name: backend.service.name });
      if (present.has(service) || missing.has(service)) continue;
      const path = pointer.slice(1).split("/").map((key) => /^\d+$/.test(key) ? Number(key) : key);
      missing.set(service, { ingress: ingress.metadata, path, service });
    }
    return [...missing.values()];
  });
}

/** The state with the Services that Ingresses name and that are not there, with the ports named. */
export function withAssumedServices(state: ClusterState): ClusterState {
  const missing = new Set(missingServices(state).map(({ service }) => service));
  const assumed = new Map<string, Service>();
  for (const ingress of state.ingresses) addServices(ingress, missing, assumed);
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

function addServices(
  ingress: Ingress,
  missing: ReadonlySet<string>,
  assumed: Map<string, Service>,
): void {
  const { namespace } = ingress.metadata;
  for (const { backend } of backendSlots(ingress)) {
    const { name, port: { name: portName, number } = {} } = backend.service ?? {};
    if (name === undefined || !missing.has(keyOf({ namespace, name }))) continue;
    const known = assumed.get(keyOf({ namespace, name }))?.spec.ports ?? [];
    const port = { port: number ?? 80, ...(portName !== undefined && { name: portName }) };
    assumed.set(keyOf({ namespace, name }), service({ namespace, name }, [...known, port]));
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
