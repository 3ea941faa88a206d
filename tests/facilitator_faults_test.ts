/**
 * Whatever a facilitator does, the buyer is never asked to pay twice and the backend runs at most
 * once: for each fault the buyer's status, the backend's calls and what the same payment may do next.
 */
import assert from "node:assert/strict";
import { startPaidApi } from "./rig/paid_api.ts";
import { signPayment, usdcRequirements } from "./rig/sign_payment.ts";
import { type Answer, startScriptedFacilitator, success } from "./support/scripted_facilitator.ts";
import { paymentBecomes } from "./support/payment_becomes.ts";
import { rule, snapshotOf, startTestGateway, usdcTerms } from "./support/test_gateway.ts";

interface Fault {
  readonly answer: Answer;
  readonly status: number;
  /** The code of the JSON error, or the reason of a 402. */
  readonly error: string;
}

/** At both endpoints; the status and the error are those of `/verify`. */
const outages: Record<string, Fault> = {
  "closed before the request": {
    answer: "close-before-request",
    status: 503,
    error: "facilitator_unreachable",
  },
  "closed after the request": {
    answer: "close-after-request",
    status: 503,
    error: "facilitator_unreachable",
  },
  "no answer": { answer: "hang", status: 504, error: "facilitator_timeout" },
  "an answer that trickles": { answer: "trickle", status: 504, error: "facilitator_timeout" },
  "status 500": { answer: { json: {}, status: 500 }, status: 502, error: "facilitator_invalid" },
  "status 500 that says no": {
    answer: { json: { isValid: false, success: false }, status: 500 },
    status: 502,
    error: "facilitator_invalid",
  },
  "status 429": { answer: { json: {}, status: 429 }, status: 503, error: "facilitator_busy" },
  "status 302": {
    answer: { raw: "HTTP/1.1 302 Found\r\nlocation: /verify\r\ncontent-length: 0\r\n\r\n" },
    status: 502,
    error: "facilitator_invalid",
  },
  "status 400 without a verdict": {
    answer: { json: { error: "missing field" }, status: 400 },
    status: 502,
    error: "facilitator_invalid",
  },
  "HTML": {
    answer: { raw: "HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n<html></html>" },
    status: 502,
    error: "facilitator_invalid",
  },
  "truncated JSON": {
    answer: { raw: 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"isValid' },
    status: 502,
    error: "facilitator_invalid",
  },
  "an answer of 10 MB": {
    answer: { json: { isValid: true, success: true, padding: "x".repeat(10_000_000) } },
    status: 502,
    error: "facilitator_invalid",
  },
  "another schema": {
    answer: { json: { valid: "yes" } },
    status: 502,
    error: "facilitator_invalid",
  },
};

const transaction = "0x" + "5e".repeat(32);
const settled = { success: true, transaction, network: "eip155:84532" };

/** Settlements whose outcome cannot be relied on. */
const doubts: Record<string, Answer> = {
  "success without a transaction": { json: { ...settled, transaction: "" } },
  "success on another network": { json: { ...settled, network: "eip155:8453" } },
  "success for another payer": { json: { ...settled, payer: "0x" + "11".repeat(20) } },
  "success with status 400": { json: settled, status: 400 },
  "pending": { json: { success: false, errorReason: "settlement_pending", transaction } },
};

async function setUp(settle: "after-response" | "before-request") {
  const api = startPaidApi();
  const facilitator = startScriptedFacilitator();
  const terms = usdcTerms(facilitator.url, { settle });
  const snapshot = snapshotOf(api.url, [rule("/paid", { kind: "paid", terms })]);
  const facilitatorTimeouts = { verifyMs: 300, settleMs: 300 };
  const gateway = startTestGateway(snapshot, { facilitator: facilitatorTimeouts });
  const requirements = usdcRequirements(2, "1000", terms.payTo);
  const { header, authorization } = await signPayment({ version: 2, buyer: 1, requirements });
  return {
    gateway,
    facilitator,
    authorization,
    pay: async () => {
      const response = await fetch(`${gateway.url}/paid`, { headers: [header] });
      return { response, body: await response.json() };
    },
    calls: () => api.calls({ path: "/paid" }),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await facilitator[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

for (const [name, fault] of Object.entries(outages)) {
  Deno.test(`/verify: ${name}: an outage, nothing used up`, async () => {
    await using bed = await setUp("after-response");
    bed.facilitator.answers["/verify"] = fault.answer;
    const { response, body } = await bed.pay();
    assert.equal(response.status, fault.status);
    assert.equal(body.error, fault.error);
    assert.ok(Number(response.headers.get("retry-after")) > 0, "Retry-After");
    assert.equal(response.headers.has("payment-required"), false, "no new offer");
    assert.equal(bed.calls(), 0);
    bed.facilitator.answers["/verify"] = success["/verify"];
    assert.equal((await bed.pay()).response.status, 200, "the same payment works afterwards");
    assert.equal(bed.calls(), 1);
  });
}

for (const settle of ["after-response", "before-request"] as const) {
  const executed = settle === "after-response" ? 1 : 0;

  const answers = Object.entries(outages).map(([name, { answer }]) => [name, answer] as const);
  for (const [name, answer] of [...answers, ...Object.entries(doubts)]) {
    // A facilitator that closes every connection does not get as far as /settle.
    if (settle === "after-response" && answer === "close-before-request") continue;
    Deno.test(`/settle ${settle}: ${name}: unknown, never a new offer`, async () => {
      await using bed = await setUp(settle);
      bed.facilitator.answers["/settle"] = answer;
      const { response, body } = await bed.pay();
      assert.equal(response.status, 503);
      assert.equal(body.error, "settlement_unknown");
      assert.match(body.message, /Send the same payment again/);
      assert.ok(Number(response.headers.get("retry-after")) > 0, "Retry-After");
      assert.equal(response.headers.has("payment-required"), false, "no new offer");
      assert.equal(bed.calls(), executed);
      const row = await paymentBecomes(bed.gateway.ledger, "unknown");
      assert.deepEqual([row.executions, row.transaction], [executed, undefined]);
      const line = bed.gateway.log.find(({ msg }) => msg === "settlement outcome unknown");
      assert.equal(line?.nonce, bed.authorization.nonce);
      assert.equal(line?.payer, bed.authorization.from.toLowerCase());

      bed.facilitator.answers["/settle"] = success["/settle"];
      const again = await bed.pay();
      assert.equal(again.response.status, 503, "the same payment is not tried again");
      assert.equal(again.body.error, "settlement_unknown");
      assert.ok(bed.facilitator.received["/settle"].length <= 1, "settled at most once");
      assert.equal(bed.calls(), executed, "executed at most once");
    });
  }

  Deno.test(`/settle ${settle}: refused: 402 with the reason, nothing charged`, async () => {
    await using bed = await setUp(settle);
    const reason = "invalid_exact_evm_insufficient_balance";
    bed.facilitator.answers["/settle"] = { json: { success: false, errorReason: reason } };
    const { response, body } = await bed.pay();
    assert.equal(response.status, 402);
    assert.equal(body.error, reason);
    const receipt = JSON.parse(atob(response.headers.get("payment-response")!));
    assert.deepEqual([receipt.success, receipt.errorReason], [false, reason]);
    assert.equal(bed.calls(), executed);
    await paymentBecomes(bed.gateway.ledger, "rejected");
    const again = await bed.pay();
    assert.equal(again.response.status, 402);
    assert.equal(bed.calls(), executed, "executed at most once");
  });
}

Deno.test("/verify: a refusal with status 400 and a proper body is a refusal", async () => {
  await using bed = await setUp("after-response");
  const reason = "invalid_exact_evm_signature";
  const json = { isValid: false, invalidReason: reason };
  bed.facilitator.answers["/verify"] = { json, status: 400 };
  const { response, body } = await bed.pay();
  assert.equal(response.status, 402);
  assert.equal(body.error, reason);
  assert.equal(bed.calls(), 0);
});
