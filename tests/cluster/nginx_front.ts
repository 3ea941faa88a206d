/** A user's namespace as clients see it: behind nginx. */
import { endpointAddress } from "./endpoint_address.ts";
import type { ExternalNames } from "./ingress_locations.ts";
import { IngressProxy } from "./ingress_proxy.ts";
import { eventually } from "./operator_look.ts";
import type { OperatorProcess } from "./operator_process.ts";
import { Scenario } from "./operator_scenario.ts";
import type { TestCluster } from "./test_cluster.ts";

/** Where gateways listen that nginx finds by EndpointSlices. */
export const gatewayListen = `${endpointAddress}:0`;

/** A Scenario whose operator is found by nginx. */
export interface Front extends AsyncDisposable {
  readonly scenario: Scenario;
  readonly proxy: IngressProxy;
  /** How the Scenario's host answers a request for the path; see `answer`. */
  ask(path: string, init?: RequestInit): Promise<string>;
  /** Resolves when a GET is answered like that. */
  untilAnswer(path: string, expected: string): Promise<void>;
}

/** Starts the operator with these flags, and nginx. */
export async function startFront(
  cluster: TestCluster,
  flags: readonly string[] = [],
): Promise<Front> {
  await using started = new AsyncDisposableStack();
  const scenario = started.use(await Scenario.start(cluster, { listen: gatewayListen, flags }));
  const names = externalNames(scenario.operatorNamespace, scenario.operator);
  const proxy = started.use(await IngressProxy.start(cluster.admin, names));
  const running = started.move();
  const ask: Front["ask"] = (path, init) => answer(proxy, scenario.host + path, init);
  return {
    scenario,
    proxy,
    ask,
    untilAnswer: (path, expected) => eventually(() => ask(path), expected, 10_000),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** What the DNS of the cluster says: Services of type ExternalName lead to these. */
export function externalNames(namespace: string, operator: OperatorProcess): ExternalNames {
  return {
    localhost: "127.0.0.1",
    [`x402-k8s-operator.${namespace}.svc.cluster.local`]: new URL(operator.gatewayUrl).host,
  };
}

/** The status, and who says it: `200 api` (the backend's text), `404 nginx`, or `402` (the gateway). */
export async function answer(
  proxy: IngressProxy,
  target: string,
  init?: RequestInit,
): Promise<string> {
  const reply = await proxy.fetch(`http://${target}`, init);
  const text = await reply.text();
  if (reply.ok) return `${reply.status} ${text}`;
  return `${reply.status}${text.includes("nginx") ? " nginx" : ""}`;
}

/** Requests that gateways have decided about so far. */
export function gatewayRequests(operator: OperatorProcess): Promise<number> {
  return operator.metric("x402_requests_total");
}
