import type { KubeAdmin, Manifest } from "../cluster/kube_admin.ts";

/** One API that charges: an Ingress on a host of its own, and the X402Route for it. */
export interface Shop {
  readonly namespace: string;
  readonly name: string;
  readonly host: string;
}

/** The operator's own namespace. */
export const operatorNamespace = "x402-system";

/** Namespaces that the shops are spread over. */
const namespaces = Array.from({ length: 10 }, (_, index) => `shops-${index}`);

/** Requests to the API server at a time. */
const concurrency = 16;

/** Atomic units of USDC that every shop charges at first. */
export const firstPrice = 1000;

export function shopsOf(count: number): Shop[] {
  return Array.from({ length: count }, (_, index) => ({
    namespace: namespaces[index % namespaces.length]!,
    name: `shop-${index}`,
    host: `shop-${index}.example.com`,
  }));
}

/** Namespaces, and in each the Service of the backend on that port of localhost. */
export async function createSurroundings(admin: KubeAdmin, backend: number): Promise<void> {
  for (const name of [...namespaces, operatorNamespace]) {
    await admin.create({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  }
  for (const namespace of namespaces) {
    await admin.create({
      apiVersion: "v1",
      kind: "Service",
      metadata: { namespace, name: "api" },
      spec: {
        type: "ExternalName",
        externalName: "localhost",
        ports: [{ name: "http", port: backend }],
      },
    });
  }
}

/** As its author wrote it: `/api` costs something, `/docs` does not. */
export function ingressOf({ namespace, name, host }: Shop): Manifest & { kind: "Ingress" } {
  const backend = { service: { name: "api", port: { name: "http" } } };
  const paths = ["/api", "/docs"].map((path) => ({ path, pathType: "Prefix", backend }));
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { namespace, name },
    spec: { rules: [{ host, http: { paths } }] },
  };
}

export function routeOf({ namespace, name }: Shop): Manifest & { kind: "X402Route" } {
  return {
    apiVersion: "x402.io/v1alpha1",
    kind: "X402Route",
    metadata: { namespace, name },
    spec: {
      ingressRef: { name },
      payment: {
        wallet: "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
        network: "base-sepolia",
        defaultPrice: tokens(firstPrice),
      },
      routes: [{ path: "/api/health", free: true }, { path: "/api/**" }],
    },
  };
}

/** Whole USDC, as a manifest says it. */
export function tokens(amount: number): string {
  return `0.${String(amount).padStart(6, "0")}`;
}

/** Does it for each shop, some at a time. */
export async function forEachShop(
  shops: readonly Shop[],
  work: (shop: Shop) => Promise<unknown>,
): Promise<void> {
  const rest = shops.values();
  await Promise.all(Array.from({ length: concurrency }, async () => {
    for (const shop of rest) await work(shop);
  }));
}
