import assert from "node:assert/strict";
import { Reverts, revertWindowMs } from "./reverts.ts";

const second = 1_000;

/** Patches `shop/api` at these times, always the same slot. */
function patchedAt(...times: number[]): Reverts {
  const reverts = new Reverts();
  for (const now of times) reverts.patched("shop/api", ["one Prefix /a"], now);
  return reverts;
}

Deno.test("one patch and three reverts may be a person at work, a fourth is not", () => {
  assert.equal(patchedAt(0, 1, 2, 3).count("shop/api", 4), undefined);
  assert.equal(patchedAt(0, 1, 2, 3, 4).count("shop/api", 5), 4);
});

Deno.test("reverts that are a minute old do not count", () => {
  const times = [0, 10, 20, 30, 40].map((at) => at * second);
  assert.equal(patchedAt(...times).count("shop/api", 40 * second), 4);
  // The first patch was no revert: the oldest is the one at 10 s.
  assert.equal(patchedAt(...times).count("shop/api", 10 * second + revertWindowMs), undefined);
  assert.equal(patchedAt(...times, 71 * second).count("shop/api", 71 * second), 4);
});

Deno.test("patches of other paths, and of other Ingresses, are no reverts", () => {
  const reverts = new Reverts();
  for (let index = 0; index < 10; index++) {
    reverts.patched("shop/api", [`one Prefix /${index}`], index);
    reverts.patched(`shop/${index}`, ["one Prefix /a"], index);
  }
  assert.equal(reverts.count("shop/api", 10), undefined);
});

Deno.test("it is told how many paths were put back", () => {
  const reverts = new Reverts();
  assert.equal(reverts.patched("shop/api", ["a", "b", "c"], 0), 0);
  assert.equal(reverts.patched("shop/api", ["b", "c", "d"], 1), 2);
  assert.equal(reverts.patched("shop/web", ["b"], 2), 0);
});

Deno.test("a patch that charges for nothing new tells nothing of what was charged for before", () => {
  const reverts = patchedAt(0, 1, 2, 3);
  reverts.patched("shop/api", [], 4);
  reverts.patched("shop/api", ["one Prefix /a"], 5);
  assert.equal(reverts.count("shop/api", 6), undefined);
});
