import assert from "node:assert/strict";
import { TokenBuckets } from "./token_buckets.ts";

/** Ten at once, one every 100 ms. */
function tenPerSecond(maxKeys?: number) {
  const clock = { ms: 5_000 };
  const buckets = new TokenBuckets({ count: 10, perMs: 1_000 }, () => clock.ms, maxKeys);
  return { clock, buckets, empty: (key: string) => untilEmpty(buckets, key) };
}

function untilEmpty(buckets: TokenBuckets, key: string): number {
  let taken = 0;
  while (buckets.take(key) === 0) taken++;
  return taken;
}

Deno.test("so many at once, then one for each part of the time", () => {
  const { clock, buckets, empty } = tenPerSecond();
  assert.equal(empty("a"), 10);
  assert.equal(buckets.take("a"), 100);
  clock.ms += 99;
  assert.equal(buckets.take("a"), 1);
  clock.ms += 1;
  assert.equal(empty("a"), 1);
  clock.ms += 350;
  assert.equal(empty("a"), 3);
});

Deno.test("in the long run as many as the rate says, however they come", () => {
  const { clock, empty } = tenPerSecond();
  let taken = 0;
  for (let i = 0; i < 1_000; i++, clock.ms += 37) taken += empty("a");
  assert.equal(taken, 10 + Math.floor(999 * 37 / 100));
});

Deno.test("a bucket is never fuller than full", () => {
  const { clock, empty } = tenPerSecond();
  empty("a");
  clock.ms += 3_600_000;
  assert.equal(empty("a"), 10);
});

Deno.test("clients do not share", () => {
  const { empty } = tenPerSecond();
  empty("a");
  assert.equal(empty("b"), 10);
});

Deno.test("what is spent beyond empty is not owed", () => {
  const { clock, buckets, empty } = tenPerSecond();
  for (let i = 0; i < 1_000; i++) buckets.spend("a");
  assert.equal(buckets.waitMs("a"), 100);
  clock.ms += 100;
  assert.equal(buckets.waitMs("a"), 0);
  assert.equal(empty("a"), 1);
});

Deno.test("looking takes nothing", () => {
  const { buckets, empty } = tenPerSecond();
  for (let i = 0; i < 100; i++) assert.equal(buckets.waitMs("a"), 0);
  assert.equal(empty("a"), 10);
});

Deno.test("memory is bounded, and a client that is pushed out is let in", () => {
  const { buckets, empty } = tenPerSecond(100);
  empty("honest");
  for (let i = 0; i < 10_000; i++) buckets.take(`stranger ${i}`);
  assert.ok(buckets.size <= 100, `${buckets.size}`);
  assert.equal(buckets.take("honest"), 0);
});

Deno.test("a client that goes on is remembered while strangers come and go", () => {
  const { buckets, empty } = tenPerSecond(100);
  empty("busy");
  for (let i = 0; i < 10_000; i++) {
    buckets.take(`stranger ${i}`);
    assert.ok(buckets.take("busy") > 0);
  }
});

Deno.test("clients that have gone are forgotten, those that are still there are not", () => {
  const { clock, buckets, empty } = tenPerSecond();
  for (let i = 0; i < 1_000; i++) buckets.take(`gone ${i}`);
  clock.ms += 1_000;
  empty("here");
  for (let i = 0; i < 9; i++) {
    clock.ms += 100;
    buckets.take("other");
  }
  assert.equal(empty("here"), 9);
  clock.ms += 1_000;
  buckets.take("other");
  assert.ok(buckets.size < 10, `${buckets.size}`);
});
