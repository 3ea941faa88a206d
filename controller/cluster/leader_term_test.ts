import assert from "node:assert/strict";
import { LeaderTerm } from "./leader_term.ts";

Deno.test("a term is over by the clock, also when no timer could run since", async () => {
  const term = new LeaderTerm(untilAborted, performance.now() + 20, () => {});
  assert.equal(term.isCurrent, true);
  const started = performance.now();
  while (performance.now() < started + 30); // As if suspended.
  assert.equal(term.isStopped, false);
  assert.equal(term.isCurrent, false);
  await term.ended;
});

Deno.test("a term that is not extended stops by itself, one that is does not", async () => {
  const reasons: string[] = [];
  const started = performance.now();
  const term = new LeaderTerm(untilAborted, started + 30, (reason) => reasons.push(reason));
  term.extend(started + 100);
  await term.ended;
  assert.ok(performance.now() - started >= 99, `${performance.now() - started} ms`);
  assert.deepEqual(reasons, ["the Lease was not renewed in time"]);
});

const endings: Readonly<Record<string, () => Promise<void>>> = {
  "its work has ended": () => Promise.resolve(),
  "its work failed: no disk": () => Promise.reject(new Error("no disk")),
  "its work failed: at once": () => {
    throw new Error("at once");
  },
};

for (const [reason, work] of Object.entries(endings)) {
  Deno.test(`the term is over because ${reason}`, async () => {
    const reasons: string[] = [];
    const deadline = performance.now() + 9999;
    const term = new LeaderTerm(work, deadline, (reason) => reasons.push(reason));
    await term.ended;
    assert.equal(term.isCurrent, false);
    assert.deepEqual(reasons, [reason]);
  });
}

Deno.test("a term has ended only when its work has, and is stopped once", async () => {
  const { promise: lastWrites, resolve: finish } = Promise.withResolvers<void>();
  const reasons: string[] = [];
  const term = new LeaderTerm(() => lastWrites, performance.now() + 9999, (r) => reasons.push(r));
  let ended = false;
  const end = term.ended.then(() => ended = true);
  term.stop("first");
  term.stop("second");
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(ended, false);
  finish();
  await end;
  assert.deepEqual(reasons, ["first"]);
});

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
}
