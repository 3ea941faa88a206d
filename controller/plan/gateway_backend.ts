import type { IngressBackend } from "../cluster_state.ts";
import type { GatewayAddress } from "./plan_options.ts";

/** Name of the Service by which Ingresses of a namespace reach the gateway. */
export function gatewayServiceName(gateway: GatewayAddress, namespace: string): string {
  return namespace === gateway.own.namespace ? gateway.own.name : gateway.serviceName;
}

/** The Ingress backend that leads to the gateway. */
export function gatewayBackend(gateway: GatewayAddress, namespace: string): IngressBackend {
  const name = gatewayServiceName(gateway, namespace);
  return { service: { name, port: { number: gateway.port } } };
}
