import { type EndpointSlice, keyOf, type Service } from "../cluster_state.ts";
import type { ClusterWrite } from "./cluster_write.ts";
import { gatewayOfLabel, hasSelector, isMadeBy } from "./gateway_backend.ts";
import {
  deletion,
  type GatewaySurroundings,
  type GatewayTarget,
  hasReady,
  managedBy,
  managedByLabel,
  ourSlices,
  ownTargets,
  sliceWrites,
  wantedSlices,
} from "./gateway_slices.ts";
import { compare } from "./object_order.ts";
import type { GatewayAddress, PlanOptions } from "./plan_options.ts";

/** The way from the Ingresses of a namespace to the gateway. */
export type GatewayWay =
  | { readonly kind: "ready" }
  /** Being made. */
  | { readonly kind: "pending"; readonly reason: string }
  /** Cannot be made. */
  | { readonly kind: "refused"; readonly reason: string };

/** The objects that lead to the gateway, as they are, and as they have to be. */
export interface GatewayObjects {
  /** By namespace, of the namespaces that need one. */
  readonly ways: ReadonlyMap<string, GatewayWay>;
  readonly writes: readonly ClusterWrite[];
}

/**
 * A namespace whose Ingresses lead to the gateway gets a Service without selector and EndpointSlices
 * that repeat the addresses of the gateway's own: every Ingress controller follows those, while some
 * refuse a Service of type ExternalName. In the operator's namespace its own Service does it.
 *
 * They have no owner references: the garbage collector would take them with the last X402Route at
 * once, while proxies still send requests to them.
 */
export function gatewayObjects(
  needed: ReadonlySet<string>,
  present: GatewaySurroundings,
  gateway: GatewayAddress,
  options: PlanOptions,
): GatewayObjects {
  const own = ownTargets(present, gateway);
  const ways = new Map<string, GatewayWay>();
  const writes: ClusterWrite[] = [];
  for (const namespace of [...needed].sort()) {
    if (namespace === gateway.own.namespace) {
      ways.set(namespace, ownWay(own, gateway));
      continue;
    }
    const service = present.services.get(keyOf({ namespace, name: gateway.serviceName }));
    const slices = ourSlices(present, gateway, namespace);
    ways.set(namespace, wayOf(namespace, service, slices, own, gateway));
    if (service !== undefined && !isMadeBy(gateway, service)) continue;
    writes.push(...serviceWrites(namespace, service, gateway, options));
    // Without its own Service nothing is known of the gateway: the last addresses may well be right.
    if ("problem" in own) continue;
    const wanted = wantedSlices(namespace, service, own.targets, gateway);
    writes.push(...sliceWrites(wanted, slices));
  }
  return { ways, writes: [...writes, ...leftovers(needed, present, gateway)] };
}

type OwnTargets = ReturnType<typeof ownTargets>;

function ownWay(targets: OwnTargets, { own }: GatewayAddress): GatewayWay {
  if ("problem" in targets) return { kind: "pending", reason: targets.problem };
  return isUp(targets.targets)
    ? { kind: "ready" }
    : { kind: "pending", reason: `Service ${keyOf(own)} has no ready gateway behind it yet` };
}

function isUp(targets: readonly GatewayTarget[]): boolean {
  return targets.some(({ endpoints }) => hasReady(endpoints));
}

function wayOf(
  namespace: string,
  service: Service | undefined,
  slices: readonly EndpointSlice[],
  targets: OwnTargets,
  gateway: GatewayAddress,
): GatewayWay {
  const { own, serviceName, way } = gateway;
  const name = `Service ${keyOf({ namespace, name: serviceName })}`;
  if (service === undefined) return { kind: "pending", reason: `${name} is being created` };
  if (!isMadeBy(gateway, service)) {
    const reason =
      `${name} exists and is not the operator's (label ${gatewayOfLabel}: ${own.namespace}); ` +
      "remove it, or choose another name with --gateway-service-name";
    return { kind: "refused", reason };
  }
  if ("problem" in targets) return { kind: "pending", reason: targets.problem };
  const isReached = isUp(targets.targets) &&
    (way === "external-name" || slices.some(({ endpoints }) => hasReady(endpoints)));
  return isReached
    ? { kind: "ready" }
    : { kind: "pending", reason: `${name} has no ready gateway behind it yet` };
}

function serviceWrites(
  namespace: string,
  present: Service | undefined,
  { serviceName, own, port, way }: GatewayAddress,
  { clusterDomain }: PlanOptions,
): ClusterWrite[] {
  const name = { namespace, name: serviceName };
  const ports = [{ name: "http", port, protocol: "TCP" }];
  const externalName = `${own.name}.${own.namespace}.svc.${clusterDomain}`;
  const spec = way === "external-name"
    ? { type: "ExternalName", externalName, ports }
    : { type: "ClusterIP", ports };
  if (present === undefined) {
    const body = {
      apiVersion: "v1",
      kind: "Service",
      metadata: {
        ...name,
        labels: { [managedByLabel]: managedBy, [gatewayOfLabel]: own.namespace },
      },
      spec,
    };
    return [{
      ...name,
      resource: "services",
      verb: "create",
      body,
      note: "the way to the gateway",
    }];
  }
  const isRight = !hasSelector(present.spec) &&
    (present.spec.type ?? "ClusterIP") === spec.type &&
    (way !== "external-name" || present.spec.externalName === externalName) &&
    present.spec.ports?.length === 1 && present.spec.ports[0]!.port === port;
  return isRight ? [] : [deletion("services", present, "it is made anew", false)];
}

/** What the operator made in namespaces that do not need it any more, under whatever name. */
function leftovers(
  needed: ReadonlySet<string>,
  { services, endpointSlices }: GatewaySurroundings,
  gateway: GatewayAddress,
): ClusterWrite[] {
  const isLeft = (object: Service | EndpointSlice) =>
    isMadeBy(gateway, object) && !needed.has(object.metadata.namespace);
  const note = "nothing in the namespace leads to the gateway any more";
  return [
    ...[...services.values()]
      .filter((service) => isLeft(service) && !hasSelector(service.spec))
      .map((service) => deletion("services", service, note, true)),
    ...endpointSlices
      .filter(isLeft)
      .map((slice) => deletion("endpointslices", slice, note, true)),
  ].sort((a, b) => compare(keyOf(a), keyOf(b)) || compare(a.resource, b.resource));
}
