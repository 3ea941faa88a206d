/** Replies that were paid for and got lost: who may fetch them again, how often, and for what. */
import assert from "node:assert/strict";
import { defaultLedgerSettings } from "../store/ledger/payment_ledger.ts";
import type { PaymentTerms } from "../store/route_snapshot.ts";
import { startPaidApi } from "./rig/paid_api.ts";
import { type PaymentToSign, signPayment, usdcRequirements } from "./rig/sign_payment.ts";
import { paymentBecomes } from "./support/payment_becomes.ts";
import { startScriptedFacilitator } from "./support/scripted_facilitator.ts";
import {
  memoryLedger,
  rule,
  snapshotOf,
  startTestGateway,
  usdcTerms,
} from "./support/test_gateway.ts";

function setUp(changes: Partial<PaymentTerms> = {}) {
  const api = startPaidApi();
  const facilitator = startScriptedFacilitator();
  const terms = usdcTerms(facilitator.url, changes);
  const access = { kind: "paid", terms } as const;
  const ledger = memoryLedger({ ...defaultLedgerSettings, redeliveries: 2 });
  const snapshot = snapshotOf(api.url, ["/stream", "/paid/**"].map((path) => rule(path, access)));
  const gateway = startTestGateway(snapshot, {}, ledger);
  return {
    api,
    gateway,
    facilitator,
    sign: async (change: Partial<PaymentToSign> = {}) => {
      const requirements = usdcRequirements(2, terms.amount, terms.payTo);
      return (await signPayment({ version: 2, buyer: 1, requirements, ...change })).header;
    },
    fetch: (path: string, header: [string, string], init: RequestInit = {}) =>
      fetch(gateway.url + path, { ...init, headers: [header] }),
    settlements: () => facilitator.received["/settle"].length,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await facilitator[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

/** Leaves in the middle of the reply. */
async function lose(reply: Response): Promise<void> {
  const reader = reply.body!.getReader();
  await reader.read();
  await reader.cancel();
}

const endless = "/stream?events=0&interval=10";

for (const settle of ["after-response", "before-request"] as const) {
  Deno.test(`${settle}: a reply that broke off is fetched again without a second charge, twice`, async () => {
    await using bed = setUp({ settle });
    const header = await bed.sign();
    const first = await bed.fetch(endless, header);
    const receipt = first.headers.get("payment-response");
    await lose(first);
    for (let i = 0; i < 2; i++) {
      const row = await paymentBecomes(bed.gateway.ledger, "undelivered");
      assert.equal(row.executions, 1 + i);
      const again = await bed.fetch(endless, header);
      assert.equal(again.status, 200);
      assert.equal(again.headers.get("payment-response"), receipt, "the same receipt");
      const copy = await bed.fetch(endless, header);
      await copy.body?.cancel();
      assert.equal(copy.status, 409, "one at a time");
      await lose(again);
    }
    await paymentBecomes(bed.gateway.ledger, "undelivered");
    const over = await bed.fetch(endless, header);
    assert.deepEqual([over.status, (await over.json()).error], [410, "reply_lost"]);
    assert.equal(over.headers.has("payment-required"), false, "no new offer");
    assert.equal(bed.settlements(), 1);
    assert.equal(bed.api.calls({ path: "/stream" }), 3);
  });
}

Deno.test("what is fetched again ends as delivered", async () => {
  await using bed = setUp();
  const header = await bed.sign();
  await lose(await bed.fetch("/stream?events=40&interval=5", header));
  await paymentBecomes(bed.gateway.ledger, "undelivered");
  const again = await bed.fetch("/stream?events=40&interval=5", header);
  assert.equal((await again.text()).match(/tick/g)?.length, 40);
  await paymentBecomes(bed.gateway.ledger, "delivered");
  assert.equal((await bed.fetch("/stream?events=40&interval=5", header)).status, 402);
});

Deno.test("a lost reply is for the same method, host, path, query and body alone", async () => {
  await using bed = setUp();
  const header = await bed.sign();
  const post = (path: string, body: string, method = "POST") =>
    bed.fetch(path, header, { method, body });
  await lose(await post("/stream?events=0&interval=10", "order 1"));
  await paymentBecomes(bed.gateway.ledger, "undelivered");
  const others: [string, () => Promise<Response>][] = [
    ["method", () => post(endless, "order 1", "PUT")],
    ["query", () => post("/stream?events=0&interval=11", "order 1")],
    ["path", () => post("/paid/stream?events=0&interval=10", "order 1")],
    ["body", () => post(endless, "order 2")],
    ["no body", () => bed.fetch(endless, header)],
  ];
  for (const [name, send] of others) {
    const refused = await send();
    assert.deepEqual([refused.status, (await refused.json()).error], [
      402,
      "payment_used_elsewhere",
    ], name);
  }
  const again = await post(endless, "order 1");
  assert.equal(again.status, 200);
  await lose(again);
  assert.deepEqual(bed.api.received.map(({ body }) => body), ["order 1", "order 1"]);
});

Deno.test("a stranger who saw the nonce on the chain gets no reply without the signature", async () => {
  await using bed = setUp();
  const header = await bed.sign();
  await lose(await bed.fetch(endless, header));
  await paymentBecomes(bed.gateway.ledger, "undelivered");
  const message = JSON.parse(atob(header[1]));
  message.payload.signature = `0x${"12".repeat(65)}`;
  const stranger = await bed.fetch(endless, [header[0], btoa(JSON.stringify(message))]);
  assert.deepEqual([stranger.status, (await stranger.json()).error], [402, "payment_already_used"]);
  assert.equal(bed.api.calls({ path: "/stream" }), 1);
});

Deno.test("a body that is too long to be read before is streamed, and fetched again by nobody", async () => {
  await using bed = setUp();
  const header = await bed.sign();
  const body = "x".repeat(1024 * 1024 + 1);
  await lose(await bed.fetch(endless, header, { method: "POST", body }));
  await paymentBecomes(bed.gateway.ledger, "undelivered");
  assert.equal(bed.api.received[0]!.body.length, body.length);
  const again = await bed.fetch(endless, header, { method: "POST", body });
  assert.deepEqual([again.status, (await again.json()).error], [410, "reply_lost"]);
});

Deno.test("a lost reply is owed also when the price has changed since", async () => {
  await using bed = setUp();
  const header = await bed.sign();
  await lose(await bed.fetch(endless, header));
  await paymentBecomes(bed.gateway.ledger, "undelivered");
  const terms = usdcTerms(bed.facilitator.url, { amount: "2000", price: "0.002" });
  const dearer = rule("/stream", { kind: "paid", terms });
  bed.gateway.gateway.publish(snapshotOf(bed.api.url, [dearer]));
  const again = await bed.fetch(endless, header);
  assert.equal(again.status, 200);
  await again.body?.cancel();
  const other = await bed.fetch(endless, await bed.sign());
  assert.deepEqual([other.status, (await other.json()).error], [
    402,
    "invalid_payment_requirements",
  ]);
  assert.equal(bed.settlements(), 1);
});

Deno.test("a client that leaves before the head has a reply to fetch", async () => {
  await using bed = setUp();
  const header = await bed.sign();
  const leave = new AbortController();
  const { promise: hold, resolve: settle } = Promise.withResolvers<void>();
  bed.facilitator.answers["/settle"] = {
    json: { success: true, transaction: `0x${"5e".repeat(32)}`, network: "eip155:84532" },
    after: hold,
  };
  const settling = bed.facilitator.called("/settle");
  const request = bed.fetch("/paid/x", header, { signal: leave.signal });
  await settling;
  leave.abort();
  await assert.rejects(request);
  // The gateway hears of it within its next turns; the settlement comes after that.
  await new Promise((resolve) => setTimeout(resolve, 300));
  settle();
  await paymentBecomes(bed.gateway.ledger, "undelivered");
  const again = await bed.fetch("/paid/x", header);
  assert.equal(again.status, 200);
  await again.text();
  assert.equal(bed.settlements(), 1);
});
