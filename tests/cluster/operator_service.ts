/** The operator's own Service and its addresses: in a cluster the work of Helm and the endpoint controller. */
import type { TestCluster } from "./test_cluster.ts";

const name = "x402-k8s-operator";

/** The Service that a chart installs with the operator. */
export async function applyOperatorService(
  { admin }: Pick<TestCluster, "admin">,
  namespace: string,
): Promise<void> {
  await admin.apply({
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace, name },
    spec: {
      selector: { "app.kubernetes.io/name": name },
      ports: [{ name: "http", port: 8402, targetPort: "http" }],
    },
  });
}

/**
 * Says where the gateway's ready pods are.
 *
 * @param addresses IPv4; the API server takes no loopback addresses
 * @param url of a gateway that listens on the port in question
 */
export async function setOperatorAddresses(
  { admin }: Pick<TestCluster, "admin">,
  namespace: string,
  addresses: readonly string[],
  url: string,
): Promise<void> {
  await admin.apply({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      namespace,
      name: `${name}-rig`,
      labels: { "kubernetes.io/service-name": name },
    },
    addressType: "IPv4",
    endpoints: addresses.map((address) => ({
      addresses: [address],
      conditions: { ready: true, serving: true, terminating: false },
    })),
    ports: [{ name: "http", port: Number(new URL(url).port), protocol: "TCP" }],
  });
}
