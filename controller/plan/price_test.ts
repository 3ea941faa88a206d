import assert from "node:assert/strict";
import fc from "fast-check";
import { parsePrice } from "./price.ts";

const exact: readonly [text: string, decimals: number, amount: string, price: string][] = [
  ["0.001", 6, "1000", "0.001"],
  ["$0.10", 6, "100000", "0.1"],
  ["0.000001", 6, "1", "0.000001"],
  ["1.0000000", 6, "1000000", "1"],
  ["007", 0, "7", "7"],
  ["0.000000000000000001", 18, "1", "0.000000000000000001"],
];
for (const [text, decimals, amount, price] of exact) {
  Deno.test(`${text} with ${decimals} decimals is ${amount}`, () => {
    assert.deepEqual(parsePrice(text, decimals), { amount, price });
  });
}

const refused: readonly [text: string, decimals: number, reason: RegExp][] = [
  ["0.0000001", 6, /smallest possible price is 0\.000001$/],
  ["1.2345678", 6, /has 6 decimals, so the smallest possible price is 0\.000001$/],
  ["0.5", 0, /smallest possible price is 1$/],
  ["0", 6, /smallest possible price is 0\.000001$/],
  ["-1", 6, /smallest one is 0\.000001$/],
  ["1e3", 6, /decimal number/],
  ["1,5", 6, /decimal number/],
  [`1${"0".repeat(78)}`, 0, /largest possible price is 1157920892/],
];
for (const [text, decimals, reason] of refused) {
  Deno.test(`${text} with ${decimals} decimals is refused`, () => {
    const result = parsePrice(text, decimals);
    assert.match("refused" in result ? result.refused : "accepted", reason);
  });
}

Deno.test("a price is exactly its amount divided by ten to the decimals", () => {
  fc.assert(fc.property(
    fc.bigInt(1n, 2n ** 256n - 1n),
    fc.nat({ max: 36 }),
    (amount, decimals) => {
      const unit = 10n ** BigInt(decimals);
      const fraction = (amount % unit).toString().padStart(decimals, "0");
      const text = decimals === 0 ? `${amount}` : `${amount / unit}.${fraction}`;
      const price = parsePrice(text, decimals);
      assert.ok("amount" in price);
      assert.equal(price.amount, `${amount}`);
      assert.deepEqual(parsePrice(price.price, decimals), price);
    },
  ));
});
