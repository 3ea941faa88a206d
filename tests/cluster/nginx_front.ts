/** A user's namespace as clients see it: behind nginx. */
import { endpointAddress } from "./endpoint_address.ts";
import type { ExternalNames, IngressObjects } from "./ingress_locations.ts";
import { IngressProxy } from "./ingress_proxy.ts";
import type { OperatorProcess } from "./operator_process.ts";
import { Scenario } from "./operator_scenario.ts";
import type { TestCluster } from "./test_cluster.ts";

/** Where gateways listen that nginx finds by EndpointSlices. */
export const gatewayListen = `${endpointAddress}:0`;

const gatewayService = "x402-gateway";

/** A Scenario whose operator is found by nginx. */
export interface Front extends AsyncDisposable {
  readonly scenario: Scenario;
  readonly proxy: IngressProxy;
  /** How the Scenario's host answers a GET of the path; see `answer`. */
  ask(path: string): Promise<string>;
  /** Resolves when for all new connections paid paths lead to the gateway. */
  untilCharged(): Promise<void>;
  /** Resolves when for all new connections no path does. */
  untilRestored(): Promise<void>;
}

/** Starts the operator with these flags, and nginx. */
export async function startFront(
  cluster: TestCluster,
  flags: readonly string[] = [],
): Promise<Front> {
  await using started = new AsyncDisposableStack();
  const scenario = started.use(await Scenario.start(cluster, { listen: gatewayListen, flags }));
  const { namespace, operatorNamespace, operator } = scenario;
  const names = externalNames(operatorNamespace, operator);
  const proxy = started.use(await IngressProxy.start(cluster.admin, names));
  const running = started.move();
  return {
    scenario,
    proxy,
    ask: (path) => answer(proxy, scenario.host + path),
    untilCharged: () => untilCharged(proxy, namespace),
    untilRestored: () => proxy.waitUntilRendered((objects) => !isCharged(objects, namespace)),
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

/**
 * Resolves when paid paths of the namespace lead to the gateway. A 402 tells less: while nginx
 * reloads, its old worker and the new one answer in turns.
 */
export function untilCharged(proxy: IngressProxy, namespace: string): Promise<void> {
  return proxy.waitUntilRendered((objects) =>
    isCharged(objects, namespace) && isReached(objects, namespace)
  );
}

function isCharged({ ingresses }: IngressObjects, namespace: string): boolean {
  return ingresses.some(({ metadata, spec }) =>
    metadata.namespace === namespace && JSON.stringify(spec).includes(`"${gatewayService}"`)
  );
}

/** Services and EndpointSlices are watched apart from Ingresses: their news may come later. */
function isReached({ services, slices }: IngressObjects, namespace: string): boolean {
  const service = services.find(({ metadata }) =>
    metadata.namespace === namespace && metadata.name === gatewayService
  );
  if (service?.spec?.type === "ExternalName") return true;
  return service !== undefined &&
    slices.some(({ metadata: { namespace: where, labels } }) =>
      where === namespace && labels?.["kubernetes.io/service-name"] === gatewayService
    );
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

/** Requests that the gateway has decided about so far. */
export function gatewayRequests(operator: OperatorProcess): Promise<number> {
  return operator.metric("x402_requests_total");
}
