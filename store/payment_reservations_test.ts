import assert from "node:assert/strict";
import { InMemoryReservations } from "./payment_reservations.ts";

const expiresAt = 1_000n;

Deno.test("of 32 requests at once exactly one gets the payment", async () => {
  const reservations = new InMemoryReservations();
  const outcomes = await Promise.all(
    Array.from({ length: 32 }, () => reservations.reserve("a", expiresAt)),
  );
  assert.equal(outcomes.filter((outcome) => outcome === "reserved").length, 1);
  assert.equal(outcomes.filter((outcome) => outcome === "in_flight").length, 31);
  assert.equal(await reservations.reserve("b", expiresAt), "reserved", "no lock on all of them");
});

Deno.test("a released payment can be used again, a closed one cannot", async () => {
  const reservations = new InMemoryReservations(10, () => 0);
  for (const state of ["spent", "unknown"] as const) {
    assert.equal(await reservations.reserve(state, expiresAt), "reserved");
    await reservations.release(state);
    assert.equal(await reservations.reserve(state, expiresAt), "reserved");
    await reservations.close(state, state);
    assert.equal(await reservations.reserve(state, expiresAt), state);
  }
});

Deno.test("what has expired is forgotten when something new is closed", async () => {
  let now = 0;
  const reservations = new InMemoryReservations(10, () => now);
  await reservations.reserve("old", expiresAt);
  await reservations.close("old", "spent");
  now = 1_001_000;
  await reservations.reserve("new", 2_000n);
  await reservations.close("new", "spent");
  assert.equal(await reservations.reserve("old", expiresAt), "reserved");
  assert.equal(await reservations.reserve("new", 2_000n), "spent");
});

Deno.test("the number of remembered payments is bounded, the latest are kept", async () => {
  const reservations = new InMemoryReservations(2, () => 0);
  for (const id of ["a", "b", "c"]) {
    await reservations.reserve(id, expiresAt);
    await reservations.close(id, "spent");
  }
  assert.equal(await reservations.reserve("a", expiresAt), "reserved");
  assert.equal(await reservations.reserve("c", expiresAt), "spent");
});
