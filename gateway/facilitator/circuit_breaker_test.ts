import assert from "node:assert/strict";
import { CircuitBreaker, type Health } from "./circuit_breaker.ts";
import { FacilitatorFailure } from "./facilitator_failure.ts";

const settings = { failures: 3, coolDownMs: 10_000 };
const unavailable = { code: "facilitator_unavailable", sent: "no" };
const outage = new FacilitatorFailure("facilitator_unreachable", "refused", "no");

function setUp(health: Health) {
  const bed = {
    time: 0,
    health,
    asked: 0,
    events: [] as string[],
    /** Holds back what the facilitator says of itself. */
    gate: Promise.resolve(),
    breaker: undefined as unknown as CircuitBreaker,
    fail: () => assert.rejects(bed.breaker.run(() => Promise.reject(outage)), outage),
    succeed: () => bed.breaker.run(() => Promise.resolve("fine")),
    /** Fails often enough, and waits for what comes of it. */
    async failRepeatedly() {
      for (let n = 0; n < settings.failures; n++) await bed.fail();
      await bed.gate;
      await new Promise((resolve) => setTimeout(resolve));
    },
    async refuses() {
      const made = bed.breaker.run(() => assert.fail("the call was made"));
      await assert.rejects(made, unavailable);
    },
  };
  const askHealth = async () => {
    bed.asked++;
    await bed.gate;
    return bed.health;
  };
  const events = {
    opened: (reason: string) => bed.events.push(`opened: ${reason}`),
    closed: () => bed.events.push("closed"),
  };
  bed.breaker = new CircuitBreaker(settings, askHealth, events, () => bed.time);
  return bed;
}

for (const health of ["down", "unsaid"] as const) {
  Deno.test(`failures in a row open it when /supported is ${health}`, async () => {
    const bed = setUp(health);
    await bed.fail();
    await bed.fail();
    await bed.succeed();
    await bed.failRepeatedly();
    assert.equal(bed.asked, 1, "a success in between starts the count again");
    await bed.refuses();
    assert.throws(() => bed.breaker.check(), { ...unavailable, retryAfterSeconds: 10 });
    bed.time = 6_500;
    assert.throws(() => bed.breaker.check(), { ...unavailable, retryAfterSeconds: 4 });
    bed.time = 9_999;
    await bed.refuses();
    assert.deepEqual(bed.events, ["opened: facilitator_unreachable: refused"]);
  });
}

Deno.test("calls that fail at a facilitator that is up do not close it to others", async () => {
  const bed = setUp("up");
  for (let n = 0; n < 5; n++) await bed.failRepeatedly();
  assert.equal(bed.asked, 5);
  assert.equal(await bed.succeed(), "fine");
  assert.deepEqual(bed.events, []);
});

Deno.test("a success while the facilitator is asked keeps it closed", async () => {
  const bed = setUp("down");
  const { promise, resolve } = Promise.withResolvers<void>();
  bed.gate = promise;
  for (let n = 0; n < 5; n++) await bed.fail();
  assert.equal(bed.asked, 1, "asked once at a time");
  await bed.succeed();
  resolve();
  await bed.gate;
  assert.equal(await bed.succeed(), "fine");
  assert.deepEqual(bed.events, []);
});

Deno.test("what is not a facilitator's failure does not count", async () => {
  const bed = setUp("down");
  const refused = new FacilitatorFailure("facilitator_refused", "10.0.0.1", "no");
  for (const error of [new Error("a fault of ours"), refused]) {
    for (let n = 0; n < 5; n++) {
      await assert.rejects(bed.breaker.run(() => Promise.reject(error)), error);
    }
  }
  assert.equal(bed.asked, 0);
});

Deno.test("half-open: while one finds out, the others are refused; up closes it", async () => {
  const bed = setUp("down");
  await bed.failRepeatedly();
  bed.time = 10_000;
  const { promise, resolve } = Promise.withResolvers<void>();
  bed.gate = promise;
  bed.health = "up";
  const first = bed.succeed();
  await bed.refuses();
  assert.throws(() => bed.breaker.check(), { ...unavailable, retryAfterSeconds: 1 });
  resolve();
  assert.equal(await first, "fine");
  assert.equal(bed.asked, 2);
  assert.equal(await bed.succeed(), "fine");
  assert.equal(bed.events.at(-1), "closed");
});

Deno.test("half-open: no payment tries whether a facilitator is up that says it is down", async () => {
  const bed = setUp("down");
  await bed.failRepeatedly();
  bed.time = 10_000;
  await bed.refuses();
  bed.time = 19_999;
  await bed.refuses();
  assert.equal(bed.asked, 2, "one cool-down, one question");
  bed.time = 20_000;
  await bed.refuses();
  assert.equal(bed.asked, 3);
});

Deno.test("half-open: where /supported says nothing, one call is the probe", async () => {
  const bed = setUp("unsaid");
  await bed.failRepeatedly();
  bed.time = 10_000;
  const { promise, reject } = Promise.withResolvers<string>();
  const probe = bed.breaker.run(() => promise);
  await bed.gate;
  await bed.refuses();
  reject(outage);
  await assert.rejects(probe, outage);
  await bed.refuses();
  bed.time = 20_000;
  assert.equal(await bed.succeed(), "fine");
  assert.equal(await bed.succeed(), "fine");
  assert.equal(bed.events.at(-1), "closed");
});

Deno.test("a probe that ends in a fault of ours leaves the way to the next one", async () => {
  const bed = setUp("unsaid");
  await bed.failRepeatedly();
  bed.time = 10_000;
  await assert.rejects(bed.breaker.run(() => Promise.reject(new Error("ours"))), /ours/);
  bed.time = 20_000;
  assert.equal(await bed.succeed(), "fine");
});
