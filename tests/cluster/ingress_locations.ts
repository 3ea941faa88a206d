/** What an ingress controller makes of the objects of a cluster, before it is nginx's language. */
import type { V1IngressBackend } from "@kubernetes/client-node";
import type { Live } from "./kube_kinds.ts";

/** The objects that an ingress controller reads. */
export interface IngressObjects {
  readonly ingresses: readonly Live<"Ingress">[];
  readonly services: readonly Live<"Service">[];
  readonly slices: readonly Live<"EndpointSlice">[];
}

/** One path of one host. */
export interface Location {
  /** `regex` is searched for at the start of the path, in whatever case. */
  readonly type: "exact" | "prefix" | "regex";
  readonly path: string;
  /** What the matched path is replaced by; may refer to groups of a regex, such as `/$2`. */
  readonly rewrite?: string;
  /** `address:port` of every ready endpoint; none is answered with 503. */
  readonly endpoints: readonly string[];
}

/** The locations of every host; `_` is the host of requests whose host no Ingress names. */
export type Hosts = ReadonlyMap<string, readonly Location[]>;

/**
 * Addresses by name, for Services of type ExternalName: what DNS is in a cluster. The port of an
 * `address:port` takes the place of the Service's.
 */
export type ExternalNames = Readonly<Record<string, string>>;

const prefix = "nginx.ingress.kubernetes.io/";

/** Of several Ingresses with the same host and path the oldest one gets the requests. */
export function ingressLocations(objects: IngressObjects, names: ExternalNames): Hosts {
  const hosts = new Map<string, Location[]>();
  const add = (host: string, location: Location) => {
    const known = hosts.get(host) ?? [];
    hosts.set(host, known);
    if (!known.some((it) => it.type === location.type && it.path === location.path)) {
      known.push(location);
    }
  };
  const ingresses = objects.ingresses.toSorted(byAge);
  for (const ingress of ingresses) {
    for (const [host, location] of pathsOf(ingress, objects, names)) add(host, location);
  }
  // Any path of any Ingress comes before a default.
  for (const ingress of ingresses) {
    for (const [host, location] of defaultsOf(ingress, objects, names)) add(host, location);
  }
  return hosts;
}

function* pathsOf(
  ingress: Live<"Ingress">,
  objects: IngressObjects,
  names: ExternalNames,
): Generator<[host: string, Location]> {
  const { annotations = {}, namespace = "" } = ingress.metadata;
  const rewrite = annotations[`${prefix}rewrite-target`];
  const regex = rewrite !== undefined || annotations[`${prefix}use-regex`] === "true";
  for (const { host = "_", http } of ingress.spec?.rules ?? []) {
    for (const { path = "/", pathType, backend } of http?.paths ?? []) {
      const endpoints = endpointsOf(backend, namespace, objects, names);
      const rest = { endpoints, ...(rewrite === undefined ? {} : { rewrite }) };
      if (pathType === "Exact") yield [host, { type: "exact", path, ...rest }];
      else if (regex && pathType === "ImplementationSpecific") {
        yield [host, { type: "regex", path, ...rest }];
      } else yield* segments(path).map((it): [string, Location] => [host, { ...it, ...rest }]);
    }
  }
}

/** A prefix ends where a segment ends: `/a` and `/a/` are `/a` itself and all below `/a/`. */
function segments(path: string): Pick<Location, "type" | "path">[] {
  const bare = path.replace(/\/+$/, "");
  if (bare === "") return [{ type: "prefix", path: "/" }];
  return [{ type: "exact", path: bare }, { type: "prefix", path: `${bare}/` }];
}

function* defaultsOf(
  { metadata, spec }: Live<"Ingress">,
  objects: IngressObjects,
  names: ExternalNames,
): Generator<[host: string, Location]> {
  if (spec?.defaultBackend === undefined) return;
  const endpoints = endpointsOf(spec.defaultBackend, metadata.namespace ?? "", objects, names);
  const hosts = (spec.rules ?? []).map(({ host = "_" }) => host);
  for (const host of hosts.length === 0 ? ["_"] : hosts) {
    yield [host, { type: "prefix", path: "/", endpoints }];
  }
}

function endpointsOf(
  backend: V1IngressBackend,
  namespace: string,
  { services, slices }: IngressObjects,
  names: ExternalNames,
): string[] {
  const { name, port } = backend.service ?? {};
  const service = services.find(({ metadata }) =>
    metadata.namespace === namespace && metadata.name === name
  );
  const servicePort = service?.spec?.ports?.find((it) =>
    port?.name === undefined ? it.port === port?.number : it.name === port.name
  );
  if (service?.spec?.type === "ExternalName") {
    const address = names[service.spec.externalName ?? ""];
    if (address === undefined) return [];
    return [address.includes(":") ? address : `${address}:${servicePort?.port ?? port?.number}`];
  }
  if (servicePort === undefined) return [];
  return slices
    .filter(({ metadata }) => metadata.namespace === namespace)
    .filter(({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === name)
    .flatMap((slice) => readyEndpoints(slice, servicePort.name ?? ""))
    .sort();
}

function readyEndpoints({ ports, endpoints }: Live<"EndpointSlice">, portName: string): string[] {
  const port = ports?.find(({ name }) => (name ?? "") === portName)?.port;
  if (port === undefined) return [];
  return (endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false)
    .flatMap(({ addresses }) => addresses.slice(0, 1))
    .map((address) => `${address}:${port}`);
}

function byAge({ metadata: one }: Live<"Ingress">, { metadata: other }: Live<"Ingress">): number {
  const [a, b] = [one, other].map((it) => `${it.creationTimestamp} ${it.namespace}/${it.name}`);
  return a! < b! ? -1 : 1;
}
