import type { EndpointSlice, IngressBackend, Service } from "../cluster_state.ts";
import type { GatewayAddress } from "./plan_options.ts";

/** Name of the Service by which Ingresses of a namespace reach the gateway. */
export function gatewayServiceName(gateway: GatewayAddress, namespace: string): string {
  return namespace === gateway.own.namespace ? gateway.own.name : gateway.serviceName;
}

/**
 * On all that an operator makes: its own namespace. Not the usual labels of who manages an object:
 * what a user's tools copy to his own Services must not make them the gateway.
 */
export const gatewayOfLabel = "x402.io/gateway-of";

/** Whether an operator, this one or another, has made the Service, under whatever name. */
export function isOurs({ metadata, spec }: Service): boolean {
  return metadata.labels?.[gatewayOfLabel] !== undefined && !hasSelector(spec);
}

/** Whether the Service leads to pods of its own, as none does that an operator has made. */
export function hasSelector({ selector }: Service["spec"]): boolean {
  return Object.keys(selector ?? {}).length > 0;
}

/** Whether this very installation has made the object. */
export function isMadeBy(
  { own }: GatewayAddress,
  { metadata }: Service | EndpointSlice,
): boolean {
  return metadata.labels?.[gatewayOfLabel] === own.namespace;
}

/** The Ingress backend that leads to the gateway. */
export function gatewayBackend(gateway: GatewayAddress, namespace: string): IngressBackend {
  const name = gatewayServiceName(gateway, namespace);
  return { service: { name, port: { number: gateway.port } } };
}
