/** The extension `payment-identifier`: the same name and request have one outcome, whatever is signed. */
import assert from "node:assert/strict";
import { startPaidApi } from "./rig/paid_api.ts";
import { type PaymentToSign, signPayment, usdcRequirements } from "./rig/sign_payment.ts";
import { paymentBecomes } from "./support/payment_becomes.ts";
import { startScriptedFacilitator } from "./support/scripted_facilitator.ts";
import { rule, snapshotOf, startTestGateway, usdcTerms } from "./support/test_gateway.ts";

function setUp() {
  const api = startPaidApi();
  const facilitator = startScriptedFacilitator();
  const terms = usdcTerms(facilitator.url);
  const access = { kind: "paid", terms } as const;
  const gateway = startTestGateway(
    snapshotOf(api.url, ["/slow", "/stream", "/paid/**"].map((path) => rule(path, access))),
  );
  /** A new authorization each time, as a client signs that tries again. */
  const pay = async (
    path: string,
    id: unknown,
    init: RequestInit = {},
    change: Partial<PaymentToSign> = {},
  ) => {
    const requirements = usdcRequirements(2, terms.amount, terms.payTo);
    const extensions = { "payment-identifier": { info: { required: false, id } } };
    const message = { extensions };
    const { header } = await signPayment({
      version: 2,
      buyer: 1,
      requirements,
      message,
      ...change,
    });
    return await fetch(gateway.url + path, { ...init, headers: [header] });
  };
  return {
    api,
    gateway,
    facilitator,
    pay,
    settlements: () => facilitator.received["/settle"].length,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await facilitator[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

const newId = () => `pay_${crypto.randomUUID().replaceAll("-", "")}`;

Deno.test("the offer says that payments may be named", async () => {
  await using bed = setUp();
  const reply = await fetch(`${bed.gateway.url}/paid/x`);
  await reply.body?.cancel();
  const { extensions } = JSON.parse(atob(reply.headers.get("payment-required")!));
  assert.equal(extensions["payment-identifier"].info.required, false);
  assert.deepEqual(extensions["payment-identifier"].schema.required, ["required"]);
});

Deno.test("the same name and request, signed anew, get the same reply and are charged once", async () => {
  await using bed = setUp();
  const id = newId();
  const first = await bed.pay("/paid/x", id, { method: "POST", body: "order" });
  const body = await first.text();
  assert.equal(first.status, 200);
  await paymentBecomes(bed.gateway.ledger, "delivered");
  for (let i = 0; i < 3; i++) {
    const again = await bed.pay("/paid/x", id, { method: "POST", body: "order" });
    assert.equal(again.status, 200);
    assert.equal(await again.text(), body, "byte for byte");
    for (const name of ["payment-response", "content-type", "cache-control"]) {
      assert.equal(again.headers.get(name), first.headers.get(name), name);
    }
  }
  assert.equal(bed.settlements(), 1);
  assert.equal(bed.api.received.length, 1);
});

Deno.test("the same name for another request is 409, and nothing is charged", async () => {
  await using bed = setUp();
  const id = newId();
  await (await bed.pay("/paid/x", id, { method: "POST", body: "order" })).text();
  await paymentBecomes(bed.gateway.ledger, "delivered");
  const others: [string, RequestInit][] = [
    ["/paid/y", { method: "POST", body: "order" }],
    ["/paid/x?y", { method: "POST", body: "order" }],
    ["/paid/x", { method: "PUT", body: "order" }],
    ["/paid/x", { method: "POST", body: "another" }],
    ["/paid/x", {}],
  ];
  for (const [path, init] of others) {
    const refused = await bed.pay(path, id, init);
    assert.deepEqual([refused.status, (await refused.json()).error], [409, "identifier_conflict"]);
  }
  assert.deepEqual([bed.settlements(), bed.api.received.length], [1, 1]);
});

Deno.test("another payer's equal name is another name", async () => {
  await using bed = setUp();
  const id = newId();
  for (const buyer of [1, 2]) {
    const reply = await bed.pay("/paid/x", id, {}, { buyer });
    await reply.text();
    assert.equal(reply.status, 200);
  }
  assert.equal(bed.settlements(), 2);
});

Deno.test("20 payments with one name at once: one is charged, the others wait or get its reply", async () => {
  await using bed = setUp();
  const id = newId();
  const replies = await Promise.all(
    Array.from({ length: 20 }, () => bed.pay("/slow?ms=100", id)),
  );
  const statuses = await Promise.all(replies.map(async (reply) => {
    await reply.text();
    return reply.status;
  }));
  assert.ok(statuses.includes(200));
  assert.ok(statuses.every((status) => status === 200 || status === 409), String(statuses));
  assert.deepEqual([bed.settlements(), bed.api.calls({ path: "/slow" })], [1, 1]);
});

Deno.test("a lost reply is fetched again under its name with a new signature, uncharged", async () => {
  await using bed = setUp();
  const id = newId();
  const lost = await bed.pay("/stream?events=0&interval=10", id);
  const reader = lost.body!.getReader();
  await reader.read();
  await reader.cancel();
  await paymentBecomes(bed.gateway.ledger, "undelivered");
  const reason = "invalid_exact_evm_signature";
  bed.facilitator.answers["/verify"] = { json: { isValid: false, invalidReason: reason } };
  const forged = await bed.pay("/stream?events=0&interval=10", id, {}, {
    domain: { name: "forged" },
  });
  assert.deepEqual([forged.status, (await forged.json()).error], [402, "invalid_signature"]);
  const again = await bed.pay("/stream?events=0&interval=10", id);
  assert.equal(again.status, 200);
  await again.body?.cancel();
  assert.equal(bed.settlements(), 1);
});

Deno.test("a name under which nothing was charged is free again", async () => {
  await using bed = setUp();
  const id = newId();
  const failed = await bed.pay("/paid/x?status=500", id);
  await failed.text();
  assert.equal(failed.status, 500);
  bed.facilitator.answers["/verify"] = { json: { isValid: false, invalidReason: "no_money" } };
  const refused = await bed.pay("/paid/x", id);
  await refused.text();
  assert.equal(refused.status, 402);
  bed.facilitator.answers["/verify"] = { json: { isValid: true } };
  const served = await bed.pay("/paid/x", id);
  await served.text();
  assert.equal(served.status, 200);
  assert.equal(bed.settlements(), 1);
});

Deno.test("while a settlement is in doubt nothing new is charged under its name", async () => {
  await using bed = setUp();
  const id = newId();
  bed.facilitator.answers["/settle"] = "close-after-request";
  const doubt = await bed.pay("/paid/x", id);
  assert.equal((await doubt.json()).error, "settlement_unknown");
  const again = await bed.pay("/paid/x", id);
  assert.deepEqual([again.status, (await again.json()).error], [503, "settlement_unknown"]);
  assert.equal(bed.settlements(), 1);
});

Deno.test("a reply too long to be kept is not made a second time", async () => {
  await using bed = setUp();
  const id = newId();
  const body = "x".repeat(70_000);
  const first = await bed.pay("/paid/x", id, { method: "POST", body });
  assert.ok((await first.text()).length > 64 * 1024);
  await paymentBecomes(bed.gateway.ledger, "delivered");
  const again = await bed.pay("/paid/x", id, { method: "POST", body });
  assert.deepEqual([again.status, (await again.json()).error], [409, "reply_not_kept"]);
  assert.equal(bed.settlements(), 1);
});

Deno.test("a name of the wrong form is 400, and a body of unknown length cannot be told apart", async () => {
  await using bed = setUp();
  for (const id of ["short", "x".repeat(129), "with space in it!", 1234567890123456]) {
    const refused = await bed.pay("/paid/x", id);
    assert.deepEqual([refused.status, (await refused.json()).error], [400, "payment_malformed"]);
  }
  const chunked = new ReadableStream({
    start(controller) {
      controller.enqueue(new Uint8Array(10));
      controller.close();
    },
  });
  const refused = await bed.pay("/paid/x", newId(), { method: "POST", body: chunked });
  assert.deepEqual([refused.status, (await refused.json()).error], [411, "request_not_repeatable"]);
  const unnamed = await bed.pay("/paid/x", null);
  await unnamed.text();
  assert.equal(unnamed.status, 200, "naming is voluntary");
});

Deno.test("a stranger who rebuilds the payment from the chain gets neither reply nor attempts without its name", async () => {
  await using bed = setUp();
  const id = newId();
  const nonce = `0x${crypto.getRandomValues(new Uint8Array(32)).toHex()}` as const;
  // To the second, or it is another authorization and another signature.
  const validBefore = `${Math.floor(Date.now() / 1000) + 60}`;
  const same = { authorization: { nonce, validAfter: "0", validBefore } };
  const message = (name: string | undefined) => ({
    message: name === undefined
      ? {}
      : { extensions: { "payment-identifier": { info: { required: false, id: name } } } },
  });
  const get = (path: string, name: string | undefined) =>
    bed.pay(path, name, {}, { ...same, ...message(name) });
  const endless = "/stream?events=0&interval=10";
  const lost = await get(endless, id);
  const reader = lost.body!.getReader();
  await reader.read();
  await reader.cancel();
  await paymentBecomes(bed.gateway.ledger, "undelivered");
  for (const name of [undefined, newId()]) {
    const stranger = await get(endless, name);
    assert.deepEqual([stranger.status, (await stranger.json()).error], [
      402,
      "payment_already_used",
    ]);
  }
  const again = await get(endless, id);
  assert.equal(again.status, 200);
  await again.body?.cancel();
  assert.deepEqual([bed.settlements(), bed.api.calls({ path: "/stream" })], [1, 2]);
});

Deno.test("payments that nobody signed leave no names behind, and take none away", async () => {
  await using bed = setUp();
  const id = newId();
  const expired = { authorization: { validBefore: "1" } };
  const invalidReason = "invalid_exact_evm_signature";
  bed.facilitator.answers["/verify"] = { json: { isValid: false, invalidReason } };
  for (const change of [expired, { domain: { name: "forged" } }]) {
    await (await bed.pay("/paid/other", id, {}, change)).text();
  }
  bed.facilitator.answers["/verify"] = { json: { isValid: true } };
  const served = await bed.pay("/paid/x", id);
  await served.text();
  assert.equal(served.status, 200, "under the same name, for another request");
});
