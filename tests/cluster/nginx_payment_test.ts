/** The whole product in a cluster: client, nginx, gateway, backend, and money that moves. */
import assert from "node:assert/strict";
import { devAccount } from "../../commands/pay_wallet.ts";
import { buyerV1, buyerV2, type PayingFetch } from "../rig/buyers.ts";
import { sourceCommand } from "../rig/gateway_process.ts";
import { allowLoopback, type Market, startMarket } from "../rig/rig.ts";
import { missingNames, withNames } from "./cluster_names.ts";
import { startClusterService } from "./cluster_service.ts";
import { IngressProxy } from "./ingress_proxy.ts";
import {
  answer,
  externalNames,
  gatewayListen,
  gatewayRequests,
  untilCharged,
} from "./nginx_front.ts";
import { backendsByPath, ingress, throughGateway, x402Route } from "./operator_manifests.ts";
import { type OperatorProcess, startOperator } from "./operator_process.ts";
import type { TestCluster } from "./test_cluster.ts";
import { proxyTest } from "./test_proxy.ts";
import { testUnless } from "./test_requirement.ts";

const missing = await missingNames();
const buyerNumber = 1, sellerNumber = 2;

interface Shop extends AsyncDisposable {
  readonly namespace: string;
  readonly host: string;
  readonly operator: OperatorProcess;
  readonly proxy: IngressProxy;
}

/** Backends at `/api` and `/docs`, no Service of which is an ExternalName, behind nginx. */
async function startShop(cluster: TestCluster, way: string): Promise<Shop> {
  await using started = new AsyncDisposableStack();
  const { admin } = cluster;
  const [own, namespace] = [await cluster.createNamespace(), await cluster.createNamespace()];
  const hosts = await Deno.makeTempFile({ prefix: "x402-hosts-" });
  started.defer(() => Deno.remove(hosts));
  const lines = ["127.0.0.1 localhost"];
  for (const name of ["api", "site"]) {
    const service = started.use(await startClusterService(admin, { namespace, name }));
    lines.push(service.hostsLine);
  }
  await Deno.writeTextFile(hosts, lines.join("\n"));
  const operator = started.use(
    await startOperator(cluster, {
      namespace: own,
      listen: gatewayListen,
      command: withNames(hosts, sourceCommand),
      flags: ["--gateway-service", way, ...allowLoopback],
    }),
  );
  await operator.waitUntilReady();
  const proxy = started.use(await IngressProxy.start(admin, externalNames(own, operator)));
  const running = started.move();
  const host = `${namespace}.test`;
  const dispose = () => running.disposeAsync();
  return { namespace, host, operator, proxy, [Symbol.asyncDispose]: dispose };
}

/** Charges for what is below `/api`; resolves when nginx sends it to the gateway. */
async function charge({ admin }: TestCluster, shop: Shop, { facilitator }: Market): Promise<void> {
  const { namespace, host, proxy } = shop;
  const seller = (await devAccount(sellerNumber)).address;
  await admin.apply(ingress(namespace, "web", { [host]: { "/api": "api", "/docs": "site" } }));
  const payment = { wallet: seller, facilitatorURL: facilitator.url };
  await admin.apply(x402Route(namespace, "prices", { payment, rules: [{ path: "/api/**" }] }));
  await untilCharged(proxy, namespace);
  assert.equal(await answer(proxy, `${host}/api/x`), "402");
}

/** The reply, and atomic units that moved from the buyer to the seller. */
async function buy({ usdc, chain }: Market, pay: PayingFetch, url: string) {
  const parties = [await devAccount(buyerNumber), await devAccount(sellerNumber)];
  const balances = () => Promise.all(parties.map(({ address }) => usdc.balanceOf(address)));
  const before = await balances();
  const reply = await pay(url);
  const body = await reply.text();
  const moved = (await balances()).map((balance, index) => balance - before[index]!);
  const receipt = reply.headers.get("payment-response") ?? reply.headers.get("x-payment-response");
  const { transaction: hash } = JSON.parse(atob(receipt!));
  const { status } = await chain.client.getTransactionReceipt({ hash });
  return { answer: `${reply.status} ${body}`, moved, transaction: status };
}

const serviceTypes = { "endpoint-slices": "ClusterIP", "external-name": "ExternalName" };

for (const [way, type] of Object.entries(serviceTypes)) {
  const name = `${way}: a buyer pays through nginx, a free path never meets the gateway`;
  const define: typeof proxyTest = missing === undefined
    ? proxyTest
    : (name) => testUnless(missing, name, () => Promise.resolve());
  define(name, async (cluster) => {
    await using market = await startMarket();
    await using shop = await startShop(cluster, way);
    const { namespace, host, operator, proxy } = shop;
    const { admin } = cluster;
    await charge(cluster, shop, market);
    const service = await admin.get("Service", { namespace, name: "x402-gateway" });
    assert.equal(service.spec?.type, type);
    const web = await admin.get("Ingress", { namespace, name: "web" });
    const [rule] = web.spec!.rules!;
    assert.deepEqual(backendsByPath(rule!.http!.paths), {
      "/api": throughGateway,
      "/docs": "site",
    });

    const buyer = await devAccount(buyerNumber);
    await market.usdc.mint(buyer.address, 1_000_000n);
    for (const buyerOf of [buyerV2, buyerV1]) {
      const pay = await buyerOf(buyerNumber, proxy.fetch);
      const bought = await buy(market, pay, `http://${host}/api/x`);
      const expected = { answer: "200 api", moved: [-1000n, 1000n], transaction: "success" };
      assert.deepEqual(bought, expected);
    }

    const before = await gatewayRequests(operator);
    assert.ok(before > 0);
    assert.equal(await answer(proxy, `${host}/docs/x`), "200 site");
    assert.equal(await gatewayRequests(operator), before);
    operator.kill("SIGKILL");
    assert.equal(await answer(proxy, `${host}/docs/x`), "200 site");
    assert.equal(await answer(proxy, `${host}/api/x`), "502 nginx");
  });
}
