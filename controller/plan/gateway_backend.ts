import type { IngressBackend, Service } from "../cluster_state.ts";
import { managedBy, managedByLabel } from "./gateway_slices.ts";
import type { GatewayAddress } from "./plan_options.ts";

/** Name of the Service by which Ingresses of a namespace reach the gateway. */
export function gatewayServiceName(gateway: GatewayAddress, namespace: string): string {
  return namespace === gateway.own.namespace ? gateway.own.name : gateway.serviceName;
}

/** Whether the operator has made the Service, under whatever name it was told then. */
export function isOurs({ metadata }: Service): boolean {
  return metadata.labels?.[managedByLabel] === managedBy;
}

/** The Ingress backend that leads to the gateway. */
export function gatewayBackend(gateway: GatewayAddress, namespace: string): IngressBackend {
  const name = gatewayServiceName(gateway, namespace);
  return { service: { name, port: { number: gateway.port } } };
}
