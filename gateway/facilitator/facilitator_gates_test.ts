import assert from "node:assert/strict";
import { Logger } from "../../store/log.ts";
import type { Health } from "./circuit_breaker.ts";
import { FacilitatorFailure } from "./facilitator_failure.ts";
import { FacilitatorGates } from "./facilitator_gates.ts";

const settings = { maxInFlight: 1, maxWaiting: 10, queueMs: 60_000 };
const log = new Logger("error", () => {});

function gatesOf(limit: number, health: Promise<Health> = Promise.resolve("down")) {
  return new FacilitatorGates(settings, () => health, log, () => 0, limit);
}

function call<T>(make: () => Promise<T>) {
  return { timeoutMs: 60_000, urgent: false, make };
}

Deno.test("however many URLs there are, only those in use and a number of others are kept", async () => {
  const gates = gatesOf(2);
  const { promise, resolve } = Promise.withResolvers<void>();
  const busy = gates.of("https://busy.test");
  const calling = busy.pass(call(() => promise));
  const first = gates.of("https://a.test");
  gates.of("https://b.test");
  assert.notEqual(gates.of("https://a.test"), first, "it was idle, and another one came");
  assert.equal(gates.of("https://busy.test"), busy);
  resolve();
  await calling;
  gates.of("https://c.test");
  gates.of("https://d.test");
  assert.notEqual(gates.of("https://busy.test"), busy);
});

Deno.test("the one that was used last is dropped last", () => {
  const gates = gatesOf(3);
  const [a, b] = ["https://a.test", "https://b.test"].map((url) => gates.of(url));
  gates.of("https://c.test");
  assert.equal(gates.of("https://a.test"), a);
  gates.of("https://d.test");
  assert.equal(gates.of("https://a.test"), a);
  assert.notEqual(gates.of("https://b.test"), b);
});

Deno.test("nobody waits in the queue of a facilitator that is down", async () => {
  const health = Promise.withResolvers<Health>();
  const gate = gatesOf(10, health.promise).of("https://a.test");
  const outage = new FacilitatorFailure("facilitator_unreachable", "refused", "no");
  const fail = call(() => Promise.reject(outage));
  for (let n = 0; n < 5; n++) await assert.rejects(gate.pass(fail), outage);
  const { promise, resolve } = Promise.withResolvers<void>();
  // It got in before the facilitator had said that it is down, and keeps the only place.
  const holding = gate.pass(call(() => promise));
  health.resolve("down");
  await new Promise((resume) => setTimeout(resume));
  await assert.rejects(gate.pass(fail), { code: "facilitator_unavailable" });
  resolve();
  await holding;
});

Deno.test("the wait for a place counts: the signal ends when the whole time is over", async () => {
  const gate = gatesOf(10).of("https://a.test");
  const { promise, resolve } = Promise.withResolvers<void>();
  const holding = gate.pass(call(() => promise));
  const start = performance.now();
  const ended = gate.pass({
    timeoutMs: 300,
    urgent: false,
    make: (signal) =>
      new Promise<number>((end) =>
        signal.addEventListener("abort", () => end(performance.now() - start))
      ),
  });
  setTimeout(resolve, 200);
  await holding;
  assert.ok(await ended < 450);
});
