/** Manifests as users write them, for the tests of the running operator. */
import type { V1HTTPIngressPath } from "@kubernetes/client-node";
import type { X402RouteSpec } from "../../crd/x402route.ts";
import type { Manifest } from "./kube_admin.ts";

/** `SERVICE:PORT` by path, where the port is a number or a name; `SERVICE` is its port `http`. */
export type IngressPaths = Readonly<Record<string, string>>;

type Metadata = { readonly annotations?: Readonly<Record<string, string>> };

/** Paths by host, all of type Prefix. */
export function ingress(
  namespace: string,
  name: string,
  hosts: Readonly<Record<string, IngressPaths>>,
  metadata: Metadata = {},
): Manifest & { readonly kind: "Ingress" } {
  const rules = Object.entries(hosts).map(([host, paths]) => ({
    host,
    http: { paths: ingressPaths(paths) },
  }));
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { namespace, name, ...metadata },
    spec: { rules },
  };
}

/** The same as entries of an Ingress. */
export function ingressPaths(paths: IngressPaths): V1HTTPIngressPath[] {
  return Object.entries(paths).map(([path, backend]) => ({
    path,
    pathType: "Prefix",
    backend: ingressBackend(backend),
  }));
}

/** The other way round. */
export function backendsByPath(paths: readonly V1HTTPIngressPath[]): IngressPaths {
  return Object.fromEntries(paths.map(({ path, backend }) => {
    const { name, port } = backend.service!;
    return [path!, port?.name === "http" ? name : `${name}:${port?.name ?? port?.number}`];
  }));
}

function ingressBackend(text: string) {
  const [name = "", port = "http"] = text.split(":");
  return {
    service: { name, port: /^\d+$/.test(port) ? { number: Number(port) } : { name: port } },
  };
}

/** A Service that leads to a port of this machine. */
export function service(
  namespace: string,
  name: string,
  port: number,
): Manifest & { readonly kind: "Service" } {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace, name },
    spec: {
      type: "ExternalName",
      externalName: "localhost",
      ports: [{ name: "http", port, protocol: "TCP" }],
    },
  };
}

type RouteRule = Partial<X402RouteSpec["routes"][number]> & { readonly path: string };

/** What matters about an X402Route; the rest is filled in. */
export interface RouteParts {
  readonly rules: readonly RouteRule[];
  readonly ingressRef?: Partial<X402RouteSpec["ingressRef"]>;
  readonly payment?: Partial<X402RouteSpec["payment"]>;
}

export function x402Route(
  namespace: string,
  name: string,
  { rules, ingressRef, payment }: RouteParts,
): Manifest & { readonly kind: "X402Route" } {
  return {
    apiVersion: "x402.io/v1alpha1",
    kind: "X402Route",
    metadata: { namespace, name },
    spec: {
      ingressRef: { name: "web", ...ingressRef },
      payment: {
        wallet: "0x1f6004907Adc7d313768b85917e069e011150390",
        network: "base-sepolia",
        defaultPrice: "0.001",
        ...payment,
      },
      routes: rules,
    },
  };
}

/**
 * A rule that charges POST only: the path leads to the gateway, and a GET shows whether the gateway
 * still knows where it led before.
 */
export function postsCost(path: string): RouteRule {
  return { path, methods: ["POST"] };
}

/** The backend of paths that lead to the gateway. */
export const throughGateway = "x402-gateway:8402";
