/** Where the bench's manifests send requests to, as ports of localhost. */
export interface BackendPorts {
  /** Of `/`. */
  readonly api: number;
  /** Of `/streams`. */
  readonly streams: number;
  readonly facilitator: number;
}

/** Rules of a shop; with 10,000 shops they are 100,000. */
const paidReports = Array.from({ length: 7 }, (_, index) => ({ path: `/reports/${index}/*` }));
const routes = [
  ...paidReports,
  { path: "/api/*" },
  { path: "/docs/**", free: true },
  { path: "/health", free: true },
];

/** The host of shop number `index`. */
export function hostOf(index: number): string {
  return `shop-${index}.example.com`;
}

/** A folder's only manifest: an Ingress and an X402Route for each of `hosts` hosts. */
export function manifestsOf(hosts: number, ports: BackendPorts): string {
  const shops = Array.from({ length: hosts }, (_, index) => shop(index, ports));
  const services = [serviceOf("api", ports.api), serviceOf("streams", ports.streams)];
  // JSON is YAML, and strings of it are read fastest.
  return [...services, ...shops.flat()].map((object) => JSON.stringify(object)).join("\n---\n");
}

function shop(index: number, { facilitator }: BackendPorts): object[] {
  const name = `shop-${index}`;
  const path = (path: string, service: string) => {
    const backend = { service: { name: service, port: { name: "http" } } };
    return { path, pathType: "Prefix", backend };
  };
  const paths = [path("/", "api"), path("/streams", "streams")];
  return [{
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name },
    spec: { rules: [{ host: hostOf(index), http: { paths } }] },
  }, {
    apiVersion: "x402.io/v1alpha1",
    kind: "X402Route",
    metadata: { name },
    spec: {
      ingressRef: { name },
      payment: {
        wallet: "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
        network: "base-sepolia",
        defaultPrice: "0.001",
        facilitatorURL: `http://localhost:${facilitator}`,
      },
      routes,
    },
  }];
}

function serviceOf(name: string, port: number): object {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: { type: "ExternalName", externalName: "localhost", ports: [{ name: "http", port }] },
  };
}
