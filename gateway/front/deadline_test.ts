import assert from "node:assert/strict";
import { type ClientRate, Deadline } from "./deadline.ts";

/** A clock that is set by hand. */
function setUp(rate: ClientRate = { graceMs: 1_000, bytesPerSecond: 100 }) {
  let now = 5_000;
  const deadline = new Deadline(() => now, rate);
  return {
    deadline,
    pass: (ms: number) => now += ms,
    /** Ms until it is over if nothing happens. */
    left() {
      for (let ms = 0; ms <= 100_000; ms += 10) if (deadline.isOver(now + ms)) return ms;
      return Infinity;
    },
  };
}

Deno.test("a time that is set is over when it is, and not once it is cleared", () => {
  const { deadline, left, pass } = setUp();
  assert.equal(left(), Infinity);
  deadline.set(500);
  assert.equal(left(), 500);
  pass(200);
  assert.equal(left(), 300);
  deadline.clear();
  assert.equal(left(), Infinity);
});

Deno.test("a silent client has the idle time, and only while it is waited for", () => {
  const { deadline, left, pass } = setUp({ graceMs: 1_000, bytesPerSecond: 0 });
  deadline.beginBody();
  assert.equal(left(), Infinity);
  deadline.waitForClient(3_000);
  assert.equal(left(), 3_000);
  pass(2_900);
  deadline.clientMoved(1);
  assert.equal(left(), Infinity);
  pass(60_000);
  deadline.waitForClient(3_000);
  assert.equal(left(), 3_000);
});

Deno.test("a slow client has its grace and what it earned, over all the time it was waited for", () => {
  const { deadline, left, pass } = setUp();
  deadline.beginBody();
  deadline.waitForClient(60_000);
  assert.equal(left(), 1_000, "the grace");
  pass(500);
  deadline.clientMoved(20);
  deadline.waitForClient(60_000);
  assert.equal(left(), 700, "20 bytes are worth 200 ms");
  pass(600);
  deadline.clientMoved(1_000);
  pass(50_000);
  deadline.waitForClient(60_000);
  assert.equal(left(), 10_100, "the time of others does not count");
  deadline.clientMoved(1_000_000);
  deadline.waitForClient(60_000);
  assert.equal(left(), 60_000, "no longer than the idle time");
});

Deno.test("each body has a grace of its own", () => {
  const { deadline, left, pass } = setUp();
  deadline.beginBody();
  deadline.waitForClient(60_000);
  pass(900);
  deadline.clientMoved(0);
  deadline.beginBody();
  deadline.waitForClient(60_000);
  assert.equal(left(), 1_000);
});

Deno.test("while one body moves, the other one that stands still is not forgotten", () => {
  const { deadline, left, pass } = setUp();
  deadline.beginBody();
  deadline.waitForClient(60_000); // for the reply to be taken
  deadline.waitForClient(60_000); // for the request to come
  pass(500);
  deadline.clientMoved(10);
  assert.equal(left(), 600, "the reply is still waited for");
  pass(100);
  deadline.waitForClient(60_000);
  assert.equal(left(), 500, "time counts once, however many waits there are");
  deadline.clientMoved(0);
  deadline.clientMoved(0);
  assert.equal(left(), Infinity);
});
