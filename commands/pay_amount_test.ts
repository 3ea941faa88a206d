import assert from "node:assert/strict";
import fc from "fast-check";
import { amountPattern, formatTokenAmount, parseTokenAmount } from "./pay_amount.ts";

Deno.test("token amounts survive formatting and parsing exactly", () => {
  fc.assert(fc.property(fc.bigInt(0n, 2n ** 256n), fc.nat(30), (atomic, decimals) => {
    const text = formatTokenAmount(atomic, decimals);
    return parseTokenAmount(text, decimals) === atomic;
  }));
});

Deno.test("formatTokenAmount() writes whole tokens without trailing zeros", () => {
  const cases = [[0n, "0"], [1n, "0.000001"], [1000n, "0.001"], [2_500_000n, "2.5"]] as const;
  for (const [atomic, text] of cases) assert.equal(formatTokenAmount(atomic, 6), text);
  assert.equal(formatTokenAmount(7n, 0), "7");
});

Deno.test("a limit finer than the token never permits more than was written", () => {
  assert.equal(parseTokenAmount("0.0019999999", 3), 1n);
});

Deno.test("amounts are plain decimal numbers", () => {
  for (const text of ["", ".5", "5.", "-1", "1e3", "0x1", "1,5", " 1"]) {
    assert.equal(amountPattern.test(text), false, text);
  }
});
