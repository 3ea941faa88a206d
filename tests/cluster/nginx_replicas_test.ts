/** Two replicas behind nginx, and one of them is killed (SIGKILL) under load. */
import assert from "node:assert/strict";
import { devAccount } from "../../commands/pay_wallet.ts";
import { buyerV2 } from "../rig/buyers.ts";
import { print } from "../rig/narration.ts";
import { allowLoopback, startMarket } from "../rig/rig.ts";
import { endpointAddress } from "./endpoint_address.ts";
import { IngressProxy } from "./ingress_proxy.ts";
import { answer, externalNames, gatewayListen, gatewayRequests } from "./nginx_front.ts";
import { eventually } from "./operator_look.ts";
import { ingress, type RouteParts, service, x402Route } from "./operator_manifests.ts";
import type { OperatorProcess } from "./operator_process.ts";
import { Scenario, shortLease } from "./operator_scenario.ts";
import { proxyTest } from "./test_proxy.ts";
import type { TestCluster } from "./test_cluster.ts";

/** Clients that send one request after the other, of each method. */
const clients = 8;

/** Requests of a kind, by which all of nginx's old connections have been tried. */
const enough = 500;

/** nginx never sends a POST again that a dead replica may have begun. */
const lost = "502 nginx";

interface Replicas extends AsyncDisposable {
  readonly proxy: IngressProxy;
  readonly host: string;
  readonly leader: OperatorProcess;
  readonly follower: OperatorProcess;
}

/**
 * Everything in the operator's own namespace, where Ingresses lead to its own Service: the replicas
 * share an address here, so each has an EndpointSlice with its own port. `api` leads to `port`.
 */
async function startReplicas(
  cluster: TestCluster,
  apiPort: number | undefined,
  route: RouteParts,
): Promise<Replicas> {
  await using started = new AsyncDisposableStack();
  const flags = [...shortLease, ...allowLoopback];
  const options = { listen: gatewayListen, flags };
  const scenario = started.use(await Scenario.start(cluster, options));
  const { admin, operatorNamespace: namespace, operator: leader } = scenario;
  await leader.logged("leading: this replica writes to the cluster");
  const follower = await scenario.startOperator(options);
  await addAddress(cluster, namespace, leader);

  if (apiPort === undefined) await scenario.addService("api", namespace);
  else await admin.apply(service(namespace, "api", apiPort));
  const host = `${namespace}.test`;
  await admin.apply(ingress(namespace, "web", { [host]: { "/": "api" } }));
  await admin.apply(x402Route(namespace, "prices", route));
  const ref = { namespace, name: "prices" };
  await admin.waitUntil("X402Route", ref, (it) => it?.status?.ready === true);
  const names = externalNames(namespace, leader);
  const proxy = started.use(await IngressProxy.start(admin, names));
  const running = started.move();
  return { proxy, host, leader, follower, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** Beside the EndpointSlice that names the replica that was started last. */
async function addAddress(
  { admin }: TestCluster,
  namespace: string,
  operator: OperatorProcess,
): Promise<void> {
  await admin.apply({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      namespace,
      name: "x402-k8s-operator-first",
      labels: { "kubernetes.io/service-name": "x402-k8s-operator" },
    },
    addressType: "IPv4",
    endpoints: [{ addresses: [endpointAddress], conditions: { ready: true } }],
    ports: [{ name: "http", port: Number(new URL(operator.gatewayUrl).port) }],
  });
}

/** Sends requests until it is told to end. */
function startLoad(ask: () => Promise<string>) {
  let ended = false;
  const seen = new Map<string, number>();
  const client = async () => {
    while (!ended) {
      const answer = await ask();
      seen.set(answer, (seen.get(answer) ?? 0) + 1);
    }
  };
  const running = Promise.all(Array.from({ length: clients }, client));
  const total = () => [...seen.values()].reduce((sum, count) => sum + count, 0);
  return {
    /** Resolves when so many more have been answered. */
    more: (count: number) => {
      const goal = total() + count;
      return eventually(() => Promise.resolve(total() >= goal), true, 30_000);
    },
    /** How many have been lost so far. */
    lost: () => seen.get(lost) ?? 0,
    /** How many answers of each kind there were. */
    async end(): Promise<Record<string, number>> {
      ended = true;
      await running;
      return Object.fromEntries(seen);
    },
  };
}

proxyTest("the leader is killed under load: nginx asks the other replica", async (cluster) => {
  const rules = [{ path: "/paid/**" }];
  await using replicas = await startReplicas(cluster, undefined, { rules });
  const { proxy, host, leader, follower } = replicas;
  const loads = ["GET", "POST"].flatMap((method) =>
    ["/paid/x", "/free"].map((path) => ({
      what: `${method} ${path}`,
      load: startLoad(() => answer(proxy, host + path, { method })),
    }))
  );
  const more = () => Promise.all(loads.map(({ load }) => load.more(enough)));
  await more();
  for (const operator of [leader, follower]) assert.ok(await gatewayRequests(operator) > 0);
  leader.kill("SIGKILL");
  await more();
  const lostByKill = loads.map(({ load }) => load.lost());
  await more();
  for (const [index, { what, load }] of loads.entries()) {
    const answers = await load.end();
    print(`a replica is killed, ${what}: ${JSON.stringify(answers)}`);
    const expected = what.endsWith("/free") ? "200 api" : "402";
    const { [expected]: good = 0, [lost]: failed = 0, ...wrong } = answers;
    assert.ok(good > 0);
    assert.deepEqual(wrong, {});
    assert.equal(failed, what.startsWith("GET") ? 0 : lostByKill[index]);
  }
});

proxyTest(
  "a replica is killed while it serves paid requests: all are served and paid once",
  async (cluster) => {
    await using market = await startMarket();
    const { usdc, api, facilitator } = market;
    const [buyer, seller] = [await devAccount(1), await devAccount(2)];
    await usdc.mint(buyer.address, 1_000_000n);
    await using replicas = await startReplicas(cluster, api.port, {
      payment: { wallet: seller.address, facilitatorURL: facilitator.url },
      rules: [{ path: "/slow" }],
    });
    const { proxy, host, leader } = replicas;
    const pay = await buyerV2(1, proxy.fetch);
    const requests = Array.from({ length: 6 }, async () => {
      const reply = await pay(`http://${host}/slow?ms=1000`);
      return `${reply.status} ${await reply.text()}`;
    });
    await eventually(() => Promise.resolve(api.calls({ path: "/slow" })), requests.length);
    leader.kill("SIGKILL");
    assert.deepEqual(new Set(await Promise.all(requests)), new Set(['200 {"slept":1000}']));
    assert.equal(await usdc.balanceOf(seller.address), 6000n);
    const calls = api.calls({ path: "/slow" });
    assert.ok(calls > requests.length, "some were at the replica that was killed");
    print(`6 paid requests, ${calls} calls of the backend`);
  },
);
