import assert from "node:assert/strict";
import { HeaderFields } from "../http1/header_fields.ts";
import { InFlight } from "./in_flight.ts";

const unpaid = HeaderFields.of([["host", "a.test"]]);
const paid = HeaderFields.of([["payment-signature", "x"]]);
const paidV1 = HeaderFields.of([["x-payment", "x"]]);

function begin(inFlight: InFlight, count: number): void {
  for (let i = 0; i < count; i++) inFlight.begin();
}

/** Late, ten times a second, for so long. */
function late(inFlight: InFlight, times: number, lagMs = 600): void {
  for (let i = 0; i < times; i++) inFlight.adapt(lagMs);
}

Deno.test("a quarter of the places is for payments of both versions", () => {
  const inFlight = new InFlight({ maxInFlight: 8, maxLagMs: Infinity });
  begin(inFlight, 5);
  assert.ok(inFlight.hasPlaceFor(unpaid));
  begin(inFlight, 1);
  assert.ok(!inFlight.hasPlaceFor(unpaid));
  assert.ok(inFlight.hasPlaceFor(paid));
  assert.ok(inFlight.hasPlaceFor(paidV1));
  begin(inFlight, 2);
  assert.ok(!inFlight.hasPlaceFor(paid));
  inFlight.end();
  assert.ok(inFlight.hasPlaceFor(paid));
  assert.ok(!inFlight.hasPlaceFor(unpaid));
});

Deno.test("with one place there is one for everybody", () => {
  const inFlight = new InFlight({ maxInFlight: 1, maxLagMs: Infinity });
  assert.ok(inFlight.hasPlaceFor(unpaid));
});

Deno.test("being late once changes nothing, twice takes places away, down to a number", () => {
  const inFlight = new InFlight({ maxInFlight: 1_000, maxLagMs: 500 });
  begin(inFlight, 600);
  late(inFlight, 1);
  assert.equal(inFlight.limit, 1_000);
  late(inFlight, 1);
  assert.equal(inFlight.limit, 480);
  late(inFlight, 100);
  assert.equal(inFlight.limit, 128);
  assert.equal(inFlight.count, 600, "what has begun goes on");
});

Deno.test("the places come back within seconds", () => {
  const inFlight = new InFlight({ maxInFlight: 1_000, maxLagMs: 500 });
  late(inFlight, 100);
  for (let i = 0; i < 30; i++) inFlight.adapt(10);
  assert.equal(inFlight.limit, 1_000);
});

Deno.test("late now and then is not late", () => {
  const inFlight = new InFlight({ maxInFlight: 1_000, maxLagMs: 500 });
  for (let i = 0; i < 100; i++) inFlight.adapt(i % 2 === 0 ? 5_000 : 0);
  assert.equal(inFlight.limit, 1_000);
});

Deno.test("a limit below the least number stays what it is", () => {
  const inFlight = new InFlight({ maxInFlight: 10, maxLagMs: 500 });
  late(inFlight, 100);
  assert.equal(inFlight.limit, 10);
});
