import assert from "node:assert/strict";
import { CallPlaces } from "./call_places.ts";

const long = 60_000;

/** Two places, both taken. */
async function full(): Promise<CallPlaces> {
  const places = new CallPlaces(2);
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
