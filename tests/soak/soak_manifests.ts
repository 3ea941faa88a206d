/** The manifests of the soak: what stays as it is, and what is never twice the same. */
import type { Random } from "../fuzz/random.ts";
import { payTo, price } from "./purse.ts";

/** Ports and URLs that the routes lead to. */
export interface SoakTargets {
  readonly steadyBackend: number;
  readonly frailBackend: number;
  readonly steadyFacilitator: string;
  readonly frailFacilitator: string;
}

/** Hosts of the Ingresses; the one without a name is for clients that cannot choose their Host. */
export const hosts = {
  steady: "steady.test",
  first: "first.test",
  frailBackend: "frail-backend.test",
  frailFacilitator: "frail-facilitator.test",
  shifting: "shifting.test",
  any: "",
} as const;

/** Files that lead every request of the soak, but for that of the shifting path. */
export function steadyFiles(targets: SoakTargets): Record<string, string> {
  const { steadyFacilitator, frailFacilitator } = targets;
  const sites = [
    site("steady", hosts.steady, "steady", steadyFacilitator),
    site("first", hosts.first, "steady", steadyFacilitator, "before-request"),
    site("frail-backend", hosts.frailBackend, "frail", steadyFacilitator),
    site("frail-facilitator", hosts.frailFacilitator, "steady", frailFacilitator),
    ingress("any", hosts.any, "steady"),
  ];
  return {
    "services.yaml": service("steady", targets.steadyBackend) +
      service("frail", targets.frailBackend),
    "sites.yaml": sites.join(""),
  };
}

/** Of a host that is free, has one of two prices, or is nobody's and falls to the Ingress without a host. */
export function shiftingFile({ steadyFacilitator }: SoakTargets, random: Random): string {
  const state = random.below(4);
  if (state === 0) return ingress("shifting", `shifted-${random.below(9)}.test`, "steady");
  const rules = state === 1
    ? `    - { path: "/**", free: true, description: "${random.below(9)}" }\n`
    : `    - { path: "/**", price: "${state === 2 ? "0.002" : "0.003"}" }\n`;
  return ingress("shifting", hosts.shifting, "steady") +
    route("shifting", steadyFacilitator, "after-response", rules);
}

/** Routes that nobody asks for, of which there are sometimes few and sometimes many. */
export function fillerFile({ steadyFacilitator }: SoakTargets, random: Random): string {
  // Always from the same few patterns: the series of each stay for ten minutes after it has gone.
  const rules = Array.from(
    { length: 1 + random.below(60) },
    (_, n) => `    - { path: "/part-${n}/**", price: "0.0${1 + random.below(9)}" }\n`,
  );
  return ingress("filler", "filler.test", "steady") +
    route("filler", steadyFacilitator, "after-response", rules.join(""));
}

/** What no planner can make anything of. */
export function brokenFile(random: Random): string {
  return random.pick([
    "kind: X402Route\n  metadata: [\n",
    route("lost", "https://facilitator.test", "after-response", `    - { path: "/**" }\n`),
    "{",
  ]);
}

function site(
  name: string,
  host: string,
  backend: string,
  facilitator: string,
  settle = "after-response",
): string {
  return ingress(name, host, backend) +
    route(name, facilitator, settle, `    - { path: "/paid/**" }\n`);
}

function ingress(name: string, host: string, backend: string): string {
  const rule = host === "" ? "" : `host: ${host}, `;
  const to = `{ service: { name: ${backend}, port: { name: http } } }`;
  return `---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: ${name} }
spec:
  rules:
    - { ${rule}http: { paths: [{ path: /, pathType: Prefix, backend: ${to} }] } }
`;
}

function route(name: string, facilitator: string, settle: string, rules: string): string {
  return `---
apiVersion: x402.io/v1alpha1
kind: X402Route
metadata: { name: ${name} }
spec:
  ingressRef: { name: ${name} }
  payment:
    wallet: "${payTo}"
    network: base-sepolia
    defaultPrice: "${price}"
    facilitatorURL: ${facilitator}
    settle: ${settle}
  routes:
${rules}`;
}

function service(name: string, port: number): string {
  return `---
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec:
  type: ExternalName
  externalName: 127.0.0.1
  ports: [{ name: http, port: ${port} }]
`;
}
