import assert from "node:assert/strict";
import { CallPlaces } from "./call_places.ts";

const long = 60_000;

/** Two places, both taken. */
async function full(maxWaiting = 10): Promise<CallPlaces> {
  const places = new CallPlaces(2, maxWaiting);
  await places.take(long, false);
  await places.take(long, false);
  return places;
}

Deno.test("those who wait get in one by one, in order, those that are urgent first", async () => {
  const places = await full();
  const order: string[] = [];
  const waiting = [["a", false], ["b", false], ["urgent", true]] as const;
  const entered = waiting.map(([name, urgent]) =>
    places.take(long, urgent).then(() => order.push(name))
  );
  const [a, b, urgent] = entered;
  for (const [next, expected] of [[urgent, "urgent"], [a, "a"], [b, "b"]] as const) {
    places.release();
    await next;
    assert.equal(order.at(-1), expected);
  }
  assert.equal(order.length, 3);
  assert.equal(places.isIdle, false);
  places.release();
  places.release();
  assert.equal(places.isIdle, true);
});

Deno.test("a place that is handed on cannot be taken by a newcomer", async () => {
  const places = await full();
  const first = places.take(long, false);
  places.release();
  await assert.rejects(places.take(1, true), { code: "facilitator_busy", sent: "no" });
  await first;
});

Deno.test("whoever has waited too long leaves the line", async () => {
  const places = await full();
  await assert.rejects(places.take(1, false), { code: "facilitator_busy", sent: "no" });
  places.release();
  places.release();
  assert.equal(places.isIdle, true, "no place was given to the one who left");
});

Deno.test("the line is bounded: one more is turned away at once", async () => {
  const places = await full(2);
  const waiting = [places.take(long, false), places.take(long, true)];
  await assert.rejects(places.take(long, false), { code: "facilitator_busy", sent: "no" });
  places.release();
  places.release();
  await Promise.all(waiting);
});

Deno.test("whoever is urgent takes the place in line of the last one that is not", async () => {
  const places = await full(2);
  const first = places.take(long, false);
  const last = assert.rejects(places.take(long, false), { code: "facilitator_busy", sent: "no" });
  const urgent = places.take(long, true);
  await last;
  places.release();
  await urgent;
  places.release();
  await first;
});

Deno.test("the line is bounded for those that are urgent, too", async () => {
  const places = await full(1);
  const urgent = places.take(long, true);
  await assert.rejects(places.take(long, true), { code: "facilitator_busy", sent: "no" });
  places.release();
  await urgent;
});
