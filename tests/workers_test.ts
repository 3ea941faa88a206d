/** Several isolates on one port are one gateway: in what is paid, counted and put in force. */
import assert from "node:assert/strict";
import { signPayment, usdcRequirements } from "./rig/sign_payment.ts";
import { startPaidApi } from "./rig/paid_api.ts";
import { startGateway } from "./rig/gateway_process.ts";
import { SqliteDatabase } from "../store/ledger/sqlite_database.ts";
import { startScriptedFacilitator } from "./support/scripted_facilitator.ts";

const seller = "0x1f6004907Adc7d313768b85917e069e011150390";

/** A gateway with three workers, the API behind it and a facilitator that says yes. */
async function setUp() {
  const stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "x402_workers_" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const api = stack.use(startPaidApi());
  const facilitator = stack.use(startScriptedFacilitator());
  const manifests = `${folder}/manifests`;
  await Deno.mkdir(manifests);
  const write = (price: string) =>
    Deno.writeTextFile(
      `${manifests}/shop.yaml`,
      JSON.stringify(manifestList(api.port, facilitator.url, price)),
    );
  await write("0.001");
  const ledger = `${folder}/payments.db`;
  const flags = ["--workers", "3", "--ledger", ledger, "--allow-facilitator-host", "127.0.0.1"];
  flags.push("--access-log");
  const gateway = stack.use(await startGateway({ manifests, flags }));
  await gateway.logged("worker serves", ({ worker }) => worker === 1);
  await gateway.logged("worker serves", ({ worker }) => worker === 2);
  return {
    api,
    facilitator,
    gateway,
    ledger,
    write,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function manifestList(apiPort: number, facilitatorUrl: string, defaultPrice: string) {
  const backend = { service: { name: "api", port: { number: apiPort } } };
  const paths = [{ path: "/", pathType: "Prefix", backend }];
  const items = [
    {
      apiVersion: "x402.io/v1alpha1",
      kind: "X402Route",
      metadata: { name: "shop" },
      spec: {
        ingressRef: { name: "shop" },
        payment: {
          wallet: seller,
          network: "base-sepolia",
          defaultPrice,
          facilitatorURL: facilitatorUrl,
        },
        routes: [{ path: "/paid/**" }],
      },
    },
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name: "shop" },
      spec: { rules: [{ http: { paths } }] },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "api" },
      spec: { type: "ExternalName", externalName: "127.0.0.1", ports: [{ port: apiPort }] },
    },
  ];
  return { apiVersion: "v1", kind: "List", items };
}

/** Each on a connection of its own, so that the kernel spreads them over the isolates. */
async function getOnce(url: string, headers: [string, string][] = []): Promise<Response> {
  using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const reply = await fetch(url, { client, headers });
  return new Response(await reply.text(), { status: reply.status, headers: reply.headers });
}

async function signed(amount = "1000"): Promise<[string, string]> {
  const requirements = usdcRequirements(2, amount, seller);
  return (await signPayment({ version: 2, buyer: 1, requirements })).header;
}

Deno.test("copies of one payment over all workers: one is served, charged and on record", async () => {
  await using bed = await setUp();
  const header = await signed();
  const copies = Array.from({ length: 60 }, () => getOnce(`${bed.gateway.url}/paid/x`, [header]));
  const statuses = (await Promise.all(copies)).map(({ status }) => status);
  assert.equal(statuses.filter((status) => status === 200).length, 1, statuses.join(" "));
  assert.ok(statuses.every((status) => [200, 402, 409].includes(status)), statuses.join(" "));
  assert.equal(bed.api.calls({ path: "/paid/x" }), 1);
  assert.equal(bed.facilitator.received["/settle"].length, 1);
  // What became of a reply is written after it, and before the end.
  await bed.gateway.stop();
  const database = new SqliteDatabase(bed.ledger);
  const rows = await database.query("SELECT state FROM payments");
  await database.close();
  assert.deepEqual(rows.map(({ state }) => state), ["delivered"]);
});

Deno.test("what the workers count is one sum, and all of them work", async () => {
  await using bed = await setUp();
  const replies = Array.from({ length: 90 }, () => getOnce(`${bed.gateway.url}/paid/y`));
  await Promise.all(replies);
  const text = await (await fetch(`${bed.gateway.metricsUrl}/metrics`)).text();
  const line = /^x402_requests_total\{path="\/paid\/\*\*".*payment_required"\} 90$/m;
  assert.match(text, line);
  // Of 90 connections one of three isolates gets none once in 10^15 runs.
  const served = bed.gateway.log().filter(({ msg }) => msg === "request");
  assert.deepEqual([...new Set(served.map(({ worker }) => worker))].sort(), [1, 2, undefined]);
});

Deno.test("a changed price counts in every worker", async () => {
  await using bed = await setUp();
  await bed.write("0.002");
  // Each isolate puts it in force by itself, a moment later.
  const end = Date.now() + 10_000;
  for (let inARow = 0; inARow < 30;) {
    assert.ok(Date.now() < end, "a worker keeps the old price");
    const offer = (await getOnce(`${bed.gateway.url}/paid/z`)).headers.get("payment-required")!;
    inARow = JSON.parse(atob(offer)).accepts[0].amount === "2000" ? inARow + 1 : 0;
  }
});

Deno.test("a drain ends all of them, with their last replies", async () => {
  await using bed = await setUp();
  const slow = getOnce(`${bed.gateway.url}/slow?ms=500`);
  while (bed.api.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(await bed.gateway.stop(), 0);
  assert.deepEqual(await (await slow).json(), { slept: 500 }, "a reply in progress ends");
});
