import assert from "node:assert/strict";
import { payer, setUpFacilitator as setUp, told } from "../../tests/support/facilitator_bed.ts";
import type { Answer } from "../../tests/support/scripted_facilitator.ts";

const settled = { success: true, transaction: "0x" + "5e".repeat(32), network: "eip155:84532" };
const other = "0x" + "11".repeat(20);

const failed = { success: false, transaction: "" };
const hash = settled.transaction;

const settlements: [answer: object, outcome: string | RegExp][] = [
  [settled, "settled"],
  [
    { ...settled, network: "base-sepolia", payer: payer.toUpperCase().replace("0X", "0x") },
    "settled",
  ],
  [{ ...settled, network: "eip155:8453" }, /settled on eip155:8453, not eip155:84532/],
  [{ ...settled, network: "base" }, /settled on base, not/],
  [{ ...settled, network: "" }, /without a network/],
  [{ ...settled, network: undefined }, /without a network/],
  [{ ...settled, transaction: "" }, /without a transaction/],
  [{ ...settled, transaction: "0x1234" }, /without a transaction/],
  [{ ...settled, transaction: undefined }, /without a transaction/],
  [{ ...settled, payer: other }, new RegExp(`settled for payer ${other}`)],
  [{ ...settled, transaction: "0x" + "00".repeat(32) }, /without a transaction/],
  [{ ...settled, errorReason: "invalid_x" }, /success, but invalid_x/],
  // Given before anything is sent: no money has moved.
  [{ ...failed, errorReason: "insufficient_funds" }, "refused"],
  [{ ...failed, errorReason: "invalid_exact_evm_signature" }, "refused"],
  [{ ...failed, errorReason: "invalid_exact_evm_nonce_already_used" }, "refused"],
  [{ ...failed, errorReason: "unsupported_scheme" }, "refused"],
  [{ ...failed, errorReason: "invalid_exact_evm_transaction_simulation_failed" }, "refused"],
  // Named and reverted.
  [
    { ...failed, errorReason: "invalid_exact_evm_transaction_failed", transaction: hash },
    "refused",
  ],
  // What published facilitators report after a transaction was sent and its outcome not heard of.
  [{ ...failed, errorReason: "invalid_exact_evm_transaction_failed" }, /transaction not named/],
  [
    { ...failed, errorReason: "HTTP request failed.\n\nStatus: 502" },
    /HTTP request failed. +Status: 502/,
  ],
  [{ ...failed, errorReason: "Timed out while waiting for transaction" }, /Timed out/],
  [{ ...failed, errorReason: "The request took too long to respond." }, /took too long/],
  [{ ...failed, errorReason: "settle_exact_node_failure" }, /settle_exact_node_failure/],
  [{ ...failed, errorReason: "internal_error" }, /internal_error/],
  [{ ...failed, errorReason: "settlement_pending", transaction: hash }, /settlement_pending/],
  [
    {
      ...failed,
      transaction: hash,
      errorReason: "invalid_transaction_state",
      errorMessage: "settlement_pending, but failed to persist",
    },
    /failed to persist/,
  ],
  [{ ...failed, errorReason: "insufficient_funds", transaction: hash }, new RegExp(hash)],
  [{ ...failed, errorReason: "" }, /no reason/],
  [failed, /no reason/],
];
for (const [answer, outcome] of settlements) {
  Deno.test(`/settle ${JSON.stringify(answer)}: ${outcome}`, async () => {
    await using bed = setUp();
    bed.facilitator.answers["/settle"] = { json: answer };
    const { kind, detail } = await told(bed.settle());
    assert.equal(kind, typeof outcome === "string" ? outcome : "unknown");
    if (outcome instanceof RegExp) assert.match(detail, outcome);
  });
}

Deno.test("/verify: valid for another payer is not valid", async () => {
  await using bed = setUp();
  bed.facilitator.answers["/verify"] = { json: { isValid: true, payer: other } };
  await assert.rejects(bed.verify(), { code: "facilitator_invalid" });
});

Deno.test("/verify: valid with a reason why not is not valid", async () => {
  await using bed = setUp();
  bed.facilitator.answers["/verify"] = { json: { isValid: true, invalidReason: "invalid_x" } };
  await assert.rejects(bed.verify(), { code: "facilitator_invalid" });
});

Deno.test("words of a facilitator's own go to nobody: they may hold keys and odd characters", async () => {
  await using bed = setUp();
  const words = "bad\u0000 https://node.example/v2/SECRET";
  bed.facilitator.answers["/verify"] = { json: { isValid: false, invalidReason: words } };
  assert.deepEqual(await bed.verify(), { kind: "invalid", reason: "invalid_payment" });
  bed.facilitator.answers["/settle"] = { json: { ...failed, errorReason: words } };
  const { kind, detail } = await told(bed.settle());
  assert.equal(kind, "unknown");
  assert.match(detail, /^bad +https:\/\/node\.example, /);
});

Deno.test("/verify ends at once when it is told to", async () => {
  await using bed = setUp();
  bed.facilitator.answers["/verify"] = "hang";
  const end = new AbortController();
  const called = bed.facilitator.called("/verify");
  const verifying = bed.verify(bed.facilitator.url, end.signal);
  await called;
  end.abort();
  await assert.rejects(verifying, { code: "facilitator_timeout" });
});

Deno.test("a 429's Retry-After is passed on, within bounds", async () => {
  await using bed = setUp();
  for (const [said, seconds] of [["30", 30], ["0", 1], ["86400", 120], ["soon", undefined]]) {
    const head = `HTTP/1.1 429 Slow\r\nretry-after: ${said}\r\ncontent-length: 0\r\n\r\n`;
    bed.facilitator.answers["/verify"] = { raw: head };
    const busy = { code: "facilitator_busy", retryAfterSeconds: seconds };
    await assert.rejects(bed.verify(), busy);
  }
});

Deno.test("/supported: what it says, unknown fields or not; failures as of any call", async () => {
  await using bed = setUp({ verifyMs: 100 });
  const { facilitator, client } = bed;
  const kind = { x402Version: 2, scheme: "exact", network: "eip155:8453", extra: { a: 1 } };
  facilitator.answers["/supported"] = {
    json: { kinds: [kind, { ...kind, extra: null }], extensions: ["x"], signers: {}, more: 1 },
  };
  const { extra: _, ...bare } = kind;
  assert.deepEqual(await client.supported(facilitator.url), { kinds: [kind, bare] });
  const faults: [answer: Answer, code: string][] = [
    [{ json: { kinds: "all" } }, "facilitator_invalid"],
    [{ json: { kinds: [kind] }, status: 401 }, "facilitator_invalid"],
    [{ json: {}, status: 500 }, "facilitator_invalid"],
    ["hang", "facilitator_timeout"],
  ];
  for (const [answer, code] of faults) {
    facilitator.answers["/supported"] = answer;
    await assert.rejects(client.supported(facilitator.url), { code });
  }
  const ended = client.supported(facilitator.url, AbortSignal.abort());
  await assert.rejects(ended, { code: "facilitator_timeout" });
});
