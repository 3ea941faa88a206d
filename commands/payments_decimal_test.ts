import assert from "node:assert/strict";
import fc from "fast-check";
import { parsePrice } from "../controller/plan/price.ts";
import { ExactSum } from "./payments_decimal.ts";

function sumOf(...texts: string[]): string {
  const sum = new ExactSum();
  for (const text of texts) sum.add(text);
  return sum.toString();
}

Deno.test("a sum is written like a price", () => {
  assert.equal(sumOf(), "0");
  assert.equal(sumOf("0.1", "0.2"), "0.3");
  assert.equal(sumOf("0.001", "0.009"), "0.01");
  assert.equal(sumOf("0.5", "0.5"), "1");
  assert.equal(sumOf("10", "0.000000000000000001"), "10.000000000000000001");
});

Deno.test("the sum of any prices is the price of the sum of their amounts", () => {
  const atomic = fc.bigInt({ min: 1n, max: 2n ** 240n });
  fc.assert(fc.property(fc.array(atomic, { minLength: 1 }), fc.nat(36), (amounts, decimals) => {
    const priceOf = (amount: bigint) =>
      (parsePrice(plain(amount, decimals), decimals) as { price: string }).price;
    assert.equal(sumOf(...amounts.map(priceOf)), priceOf(amounts.reduce((a, b) => a + b)));
  }));
});

function plain(amount: bigint, decimals: number): string {
  const digits = amount.toString().padStart(decimals + 1, "0");
  return `${digits.slice(0, digits.length - decimals)}.${digits.slice(digits.length - decimals)}0`;
}

for (const text of ["", "1e3", "-1", "+1", ".5", "1.", "0x10", " 1", "1,5", "NaN"]) {
  Deno.test(`not a price: ${JSON.stringify(text)}`, () => {
    assert.throws(() => sumOf(text), /is not a decimal number/);
  });
}
