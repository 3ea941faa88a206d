/** Floods of payments that nobody signed, through the front door. */
import assert from "node:assert/strict";
import { startPaidApi } from "./rig/paid_api.ts";
import { type PaymentToSign, signPayment, usdcRequirements } from "./rig/sign_payment.ts";
import { startScriptedFacilitator } from "./support/scripted_facilitator.ts";
import { rule, snapshotOf, startTestGateway, usdcTerms } from "./support/test_gateway.ts";

for (const settle of ["after-response", "before-request"] as const) {
  Deno.test(`${settle}: a flood of invalid signatures stops at the gateway, the payer it names still pays`, async () => {
    await using api = startPaidApi();
    await using facilitator = startScriptedFacilitator();
    const terms = usdcTerms(facilitator.url, { settle });
    const snapshot = snapshotOf(api.url, [rule("/paid", { kind: "paid", terms })]);
    await using gateway = startTestGateway(snapshot);
    const pay = async (change: Partial<PaymentToSign> = {}) => {
      const requirements = usdcRequirements(2, terms.amount, terms.payTo);
      const { header } = await signPayment({ version: 2, buyer: 1, requirements, ...change });
      const reply = await fetch(`${gateway.url}/paid`, { headers: [header] });
      await reply.body?.cancel();
      return reply;
    };
    const endpoint = settle === "after-response" ? "/verify" : "/settle";
    const proper = facilitator.answers[endpoint];
    const errorReason = "invalid_exact_evm_signature";
    facilitator.answers[endpoint] = {
      json: { isValid: false, invalidReason: errorReason, success: false, errorReason },
    };
    const forged = { domain: { name: "forged" } };
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) statuses.push((await pay(forged)).status);
    assert.deepEqual(statuses.slice(0, 5), Array(5).fill(402));
    assert.deepEqual(statuses.slice(5), Array(7).fill(429));
    assert.equal(facilitator.received[endpoint].length, 5, "the others cost no call");
    const refused = await pay(forged);
    assert.ok(Number(refused.headers.get("retry-after")) > 0);
    const rows = await Array.fromAsync(gateway.ledger.history.list());
    assert.deepEqual(rows.map(({ state }) => state), Array(5).fill("rejected"), "and no rows");

    facilitator.answers[endpoint] = proper;
    assert.equal((await pay()).status, 200, "a signature that can be checked here passes");
  });
}

Deno.test("refusals that say nothing of the signature limit nobody", async () => {
  await using api = startPaidApi();
  await using facilitator = startScriptedFacilitator();
  const terms = usdcTerms(facilitator.url);
  await using gateway = startTestGateway(
    snapshotOf(api.url, [rule("/paid", { kind: "paid", terms })]),
  );
  const invalidReason = "invalid_exact_evm_insufficient_balance";
  facilitator.answers["/verify"] = { json: { isValid: false, invalidReason } };
  for (let i = 0; i < 10; i++) {
    const requirements = usdcRequirements(2, terms.amount, terms.payTo);
    const { header } = await signPayment({ version: 2, buyer: 1, requirements });
    const reply = await fetch(`${gateway.url}/paid`, { headers: [header] });
    await reply.body?.cancel();
    assert.equal(reply.status, 402);
  }
});

for (const settle of ["after-response", "before-request"] as const) {
  Deno.test(`${settle}: odd signatures that make a facilitator fail leave no payments in doubt`, async () => {
    await using api = startPaidApi();
    await using facilitator = startScriptedFacilitator();
    const terms = usdcTerms(facilitator.url, { settle });
    await using gateway = startTestGateway(
      snapshotOf(api.url, [rule("/paid", { kind: "paid", terms })]),
    );
    for (const endpoint of ["/verify", "/settle"] as const) {
      facilitator.answers[endpoint] = { json: { error: "cannot read it" }, status: 500 };
    }
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) {
      const requirements = usdcRequirements(2, terms.amount, terms.payTo);
      const signed = await signPayment({ version: 2, buyer: 1, requirements });
      // As of a wallet that is not deployed yet (ERC-6492).
      const signature = `0x${"ab".repeat(200)}${"6492".repeat(16)}`;
      const payload = { ...signed.message.payload as object, signature };
      const header = btoa(JSON.stringify({ ...signed.message, payload }));
      const reply = await fetch(`${gateway.url}/paid`, {
        headers: { "payment-signature": header },
      });
      await reply.body?.cancel();
      statuses.push(reply.status);
    }
    assert.deepEqual(statuses, [...Array(5).fill(502), ...Array(7).fill(429)]);
    assert.equal(facilitator.received["/settle"].length, 0, "verified first");
    const rows = await Array.fromAsync(gateway.ledger.history.list());
    assert.deepEqual(rows.map(({ state }) => state), Array(5).fill("released"));
  });
}
