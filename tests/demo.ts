/**
 * `deno task demo`: a local chain with Circle's USDC, a real facilitator, a small paid API and the
 * gateway on `deploy/samples/`; then a buyer who pays. `--keep` leaves it all running.
 */
import type { Address } from "viem";
import { formatTokenAmount } from "../commands/pay_amount.ts";
import { devAccount } from "../commands/pay_wallet.ts";
import { buyerV2 } from "./rig/buyers.ts";
import { conclude, print, step, tell } from "./rig/narration.ts";
import { type Rig, startRig } from "./rig/rig.ts";
import { samplePorts, samplesFolder } from "./rig/sample_manifests.ts";

/** Dev account of the buyer, and what it gets to spend: 10 USDC. */
const buyer = 3;
const purse = 10_000_000n;

/** The gateway's own port, as in a real installation. */
const gatewayPort = 8402;

/** The offer of a 402 (x402-specification-v2.md, section 5.1), as far as the demo tells of it. */
interface Offer {
  readonly resource: { readonly url: string; readonly description: string };
  readonly accepts: readonly {
    readonly network: string;
    readonly amount: string;
    readonly asset: string;
    readonly payTo: Address;
  }[];
}

async function play(rig: Rig): Promise<void> {
  const url = `${rig.gateway.url}/api/weather`;
  const payer = (await devAccount(buyer)).address;
  await rig.usdc.mint(payer, purse);

  const payTo = await askWithoutPaying(url);
  const before = await balances(rig, payer, payTo);
  const payment = await payAndReceive(url);
  const after = await balances(rig, payer, payTo);
  tell({
    "buyer's USDC": `${dollars(before.payer)} -> ${dollars(after.payer)}`,
    "seller's USDC": `${dollars(before.seller)} -> ${dollars(after.seller)}`,
  });
  expect(after.seller > before.seller, "The seller was not paid.");
  expect(before.payer - after.payer === after.seller - before.seller, "Money was lost on the way.");
  await visitFreePath(rig);
  await replay(rig, url, payment);
  const end = await balances(rig, payer, payTo);
  expect(end.payer === after.payer && end.seller === after.seller, "The replay moved money.");
}

async function askWithoutPaying(url: string): Promise<Address> {
  step(`An unpaid request: GET ${url}`);
  const reply = await fetch(url);
  await reply.body?.cancel();
  expect(reply.status === 402, `The gateway answers ${reply.status} instead of 402.`);
  const { resource, accepts }: Offer = JSON.parse(atob(header(reply, "payment-required")));
  const terms = accepts[0]!;
  tell({
    status: "402 Payment Required, with these terms:",
    resource: `${resource.url} (${resource.description})`,
    price: `${dollars(BigInt(terms.amount))} USDC`,
    network: terms.network,
    asset: terms.asset,
    "pay to": terms.payTo,
  });
  return terms.payTo;
}

/** Returns the payment header that the buyer sent. */
async function payAndReceive(url: string): Promise<string> {
  step("The same request by a buyer with a wallet (@x402/fetch)");
  let payment = "";
  const pay = await buyerV2(buyer, (input, init) => {
    const request = new Request(input, init);
    payment = request.headers.get("payment-signature") ?? payment;
    return fetch(request);
  });
  const reply = await pay(url);
  const body = await reply.text();
  expect(reply.status === 200, `The paid request is answered with ${reply.status}: ${body}`);
  const receipt = JSON.parse(atob(header(reply, "payment-response")));
  expect(receipt.success === true, "The receipt says that the settlement failed.");
  tell({ status: "200 OK", body: body.trim(), "settled in": receipt.transaction });
  return payment;
}

async function visitFreePath(rig: Rig): Promise<void> {
  step(`A free path: GET ${rig.gateway.url}/health`);
  const reply = await fetch(`${rig.gateway.url}/health`);
  await reply.body?.cancel();
  expect(reply.status === 200, `The free path is answered with ${reply.status}.`);
  tell({ status: "200 OK, nothing to pay" });
}

async function replay(rig: Rig, url: string, payment: string): Promise<void> {
  step("The buyer's payment, sent a second time");
  const calls = rig.api.calls({ path: "/api/weather" });
  const reply = await fetch(url, { headers: { "payment-signature": payment } });
  await reply.body?.cancel();
  expect(reply.status === 402, `The replayed payment is answered with ${reply.status}.`);
  const { error } = JSON.parse(atob(header(reply, "payment-required")));
  expect(rig.api.calls({ path: "/api/weather" }) === calls, "The replay reached the API.");
  tell({ status: "402 Payment Required", reason: error });
  tell("The API was not called and no money moved.");
}

async function balances({ usdc }: Rig, payer: Address, seller: Address) {
  return { payer: await usdc.balanceOf(payer), seller: await usdc.balanceOf(seller) };
}

function dollars(atomic: bigint): string {
  return formatTokenAmount(atomic, 6);
}

function header(reply: Response, name: string): string {
  const value = reply.headers.get(name);
  expect(value !== null, `The ${reply.status} has no header ${name}.`);
  return value;
}

function expect(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}

/** The samples as they are where their ports are free, else a copy with free ports. */
async function start(): Promise<Rig> {
  const listen = isFree(gatewayPort) ? { listen: `127.0.0.1:${gatewayPort}` } : {};
  const asTheyAre = isFree(samplePorts.api) && isFree(samplePorts.facilitator);
  return await startRig(
    asTheyAre ? { ...listen, ports: samplePorts, manifests: samplesFolder } : listen,
  );
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch {
    return false;
  }
}

function explain({ gateway, facilitator, api, chain, manifests }: Rig): void {
  tell({
    chain: `${chain.rpcUrl} (posing as Base Sepolia, with Circle's USDC)`,
    facilitator: facilitator.url,
    "paid API": api.url,
    gateway: `${gateway.url} on the manifests in ${manifests}`,
  });
}

function invite({ gateway }: Rig): void {
  const url = `${gateway.url}/api/weather`;
  const pay = `pay ${url} --dev-account ${buyer} --max-amount 0.01`;
  print("\nAll is left running. Try these in another terminal, and end with Ctrl-C:\n");
  for (const path of ["/api/weather", "/health", "/articles/first"]) {
    print(`   curl -i ${gateway.url}${path}`);
  }
  print(`   curl -i -A claude-bot ${gateway.url}/articles/first`);
  print(`   deno run -A main.ts ${pay}`);
  print(`   x402-k8s-operator ${pay}    # the same with the installed program`);
}

/** Ends early, with everything stopped, when `interrupted` resolves. */
async function demo(interrupted: Promise<void>): Promise<void> {
  const startedAt = performance.now();
  step("Starting a chain, a facilitator, a paid API and the gateway");
  await using rig = await start();
  explain(rig);
  tell(`Ready after ${Math.round(performance.now() - startedAt)} ms.`);
  const toTheEnd = await Promise.race([play(rig).then(() => true), interrupted.then(() => false)]);
  expect(toTheEnd, "It was interrupted.");
  conclude("The demo went as it should.", true);
  if (!Deno.args.includes("--keep")) return;
  invite(rig);
  await interrupted;
}

const interruption = Promise.withResolvers<void>();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => interruption.resolve());
}
try {
  await demo(interruption.promise);
  Deno.exit(0);
} catch (error) {
  conclude(`The demo failed: ${(error as Error).message}`, false);
  Deno.exit(1);
}
