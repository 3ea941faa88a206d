/** A backend as a cluster has it: a Service with a selector's work done, and pods that answer. */
import { endpointAddress } from "./endpoint_address.ts";
import type { KubeAdmin, Ref } from "./kube_admin.ts";

export interface ClusterService extends AsyncDisposable {
  /** For `withNames`: the name of the Service, and where it leads. */
  readonly hostsLine: string;
}

/**
 * Creates the Service, its EndpointSlice and the server behind it, which answers every request with
 * the Service's name. There is no kube-proxy: the Service has the port of the server itself.
 */
export async function startClusterService(
  admin: KubeAdmin,
  { namespace, name }: Ref,
): Promise<ClusterService> {
  const server = Deno.serve(
    { hostname: endpointAddress, port: 0, onListen: () => {} },
    () => new Response(name),
  );
  const { port } = server.addr;
  await admin.apply({
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace, name },
    spec: { ports: [{ name: "http", port }] },
  });
  await admin.apply({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { namespace, name, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    endpoints: [{ addresses: [endpointAddress], conditions: { ready: true } }],
    ports: [{ name: "http", port }],
  });
  return {
    hostsLine: `${endpointAddress} ${name}.${namespace}.svc.cluster.local`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
