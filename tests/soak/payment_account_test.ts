import assert from "node:assert/strict";
import { PaymentAccount } from "./payment_account.ts";

const receipt = (transaction: string) =>
  new Map([["payment-response", btoa(JSON.stringify({ success: true, transaction }))]]);
const retryAfter = new Map([["retry-after", "5"]]);
const none = new Map<string, string>();

/** What is wrong with one payment; by default it ran once and was settled as `0x1`. */
function check(
  seen: [outcome: string, headers: ReadonlyMap<string, string>][],
  { runs = 1, settled = "0x1" } = {},
): string[] {
  const account = new PaymentAccount();
  for (const [outcome, headers] of seen) account.add("0xnonce", { outcome, headers });
  const transactions = new Map(settled === "" ? [] : [["0xnonce", settled]]);
  return account.check(new Map([["0xnonce", runs]]), transactions)
    .map((text) => /: (.*?) \(/.exec(text)![1]!);
}

const served: [string, ReadonlyMap<string, string>] = ["200", receipt("0x1")];

Deno.test("a payment that is served, run and settled once is right", () => {
  assert.deepEqual(check([served]), []);
  assert.deepEqual(check([served, ["402", none]]), [], "a copy that came too late");
  assert.deepEqual(check([["503 settlement_unknown", retryAfter], served], { runs: 2 }), []);
  assert.deepEqual(check([["left", none]], { runs: 0, settled: "" }), []);
});

Deno.test("everything that would cost somebody money is found", () => {
  assert.deepEqual(check([served, served]), ["served more than once"]);
  assert.ok(check([served], { settled: "" }).includes("served and not settled"));
  assert.deepEqual(check([served], { settled: "0x2" }), ["a receipt for another transaction"]);
  assert.deepEqual(check([served], { runs: 2 }), ["not run once", "run more often than asked for"]);
  assert.ok(check([served], { runs: 0 }).includes("served without the backend"));
  assert.deepEqual(check([["402", none]]), [
    "good, and answered with a new offer",
    "settled and never served",
  ]);
  assert.deepEqual(check([["502 upstream_reset", retryAfter]]), [
    "settled although the backend failed",
  ]);
});

Deno.test("a receipt and Retry-After are missed", () => {
  const account = new PaymentAccount();
  const add = (outcome: string, headers: ReadonlyMap<string, string>) =>
    account.add("0xnonce", { outcome, headers });
  assert.equal(add("200", none), "200 without a receipt");
  assert.equal(add("503 facilitator_busy", none), "503 facilitator_busy without Retry-After");
  const offer = new Map([...retryAfter, ["payment-required", "e30="]]);
  assert.equal(add("503 facilitator_busy", offer), "503 facilitator_busy with an offer");
  assert.equal(add("503 facilitator_busy", retryAfter), "503 facilitator_busy");
});
