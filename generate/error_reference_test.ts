import assert from "node:assert/strict";
import { gatewayRefusals } from "../gateway/payment/refusal_guide.ts";

/** Where reasons of a 402 are made, and the words there that are something else. */
const sources: Readonly<Record<string, readonly string[]>> = {
  "payment/payment_checks.ts": [],
  "payment/admission.ts": [
    ...["payment_in_flight", "settlement_unknown", "reply_lost", "reply_not_kept"],
    ...["identifier_conflict", "request_not_repeatable"],
    ...["fetch_again", "settle_again", "in_flight", "bound_elsewhere"],
  ],
  "payment/challenge.ts": [],
};

Deno.test("docs/errors.md has every reason that the gateway gives in a 402", () => {
  const unknown = Object.entries(sources).flatMap(([file, others]) => {
    const text = Deno.readTextFileSync(new URL(`../gateway/${file}`, import.meta.url));
    const words = [...text.matchAll(/"([a-z0-9]+(?:_[a-z0-9]+)+)"/g)].map(([, word]) => word!);
    return words.filter((word) => !(word in gatewayRefusals) && !others.includes(word));
  });
  assert.deepEqual(unknown, []);
  for (
    const [file, text] of [["handler.ts", "invalid_x402_version"], [
      "payment/challenge.ts",
      "PAYMENT-SIGNATURE header is required",
    ]] as const
  ) {
    const source = Deno.readTextFileSync(new URL(`../gateway/${file}`, import.meta.url));
    assert.ok(source.includes(`"${text}"`), text);
    assert.ok(text in gatewayRefusals);
  }
});

Deno.test("docs/errors.md has no reason that the gateway does not give", () => {
  const folder = new URL("../gateway/", import.meta.url);
  const files = ["handler.ts", ...Object.keys(sources), "facilitator/facilitator_answers.ts"];
  const text = files.map((file) => Deno.readTextFileSync(new URL(file, folder))).join();
  assert.deepEqual(Object.keys(gatewayRefusals).filter((it) => !text.includes(`"${it}"`)), []);
});
