import assert from "node:assert/strict";
import { riseOf } from "./rise.ts";

Deno.test("riseOf() finds a slow leak, whatever the noise", () => {
  const noise = (at: number) => (at * 7919) % 17;
  const leaking = Array.from({ length: 300 }, (_, at) => 100 + at * 0.1 + noise(at));
  assert.ok(Math.abs(riseOf(leaking) - 20) < 2, String(riseOf(leaking)));
});

Deno.test("riseOf() is not moved by warming up, nor by peaks that go away", () => {
  const warm = Array.from(
    { length: 300 },
    (_, at) => Math.min(at, 100) + (at % 50 === 49 ? 400 : 0),
  );
  assert.equal(riseOf(warm), 0);
});

Deno.test("riseOf() leaves out what is for warming up", () => {
  const values = Array.from({ length: 60 }, (_, at) => Math.min(at, 40));
  assert.ok(riseOf(values) > 10);
  assert.equal(riseOf(values, 40), 0);
});

Deno.test("riseOf() of many samples is about that of few", () => {
  const values = Array.from({ length: 30_000 }, (_, at) => at / 1_000);
  assert.ok(Math.abs(riseOf(values) - 20) < 0.2, String(riseOf(values)));
  assert.equal(riseOf([]), 0);
});
