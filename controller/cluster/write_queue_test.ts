import assert from "node:assert/strict";
import { KubeError } from "./kube_error.ts";
import { type WriteOutcome, WriteQueue, type WriteTask } from "./write_queue.ts";

/** A queue whose writes end when the test says so; it forgets its timers in the end. */
class Rig {
  readonly sent: string[] = [];
  readonly reports: string[] = [];
  readonly term = new AbortController();
  mayWrite = true;
  #waiting: { count: number; resolve: () => void }[] = [];
  readonly queue = new WriteQueue<WriteTask>(
    () => this.mayWrite,
    ({ key }, outcome: WriteOutcome, _error, failures) =>
      this.reports.push([key, outcome, ...failures > 1 ? [failures] : []].join(" ")),
  );

  want(...tasks: WriteTask[]): void {
    this.queue.want(tasks, this.term.signal);
  }

  task(
    key: string,
    version = "1",
    { delayMs = 0, send = () => Promise.resolve(), ...rest }: {
      delayMs?: number;
      refusedRetryMs?: number;
      send?: (signal: AbortSignal) => Promise<void>;
    } = {},
  ): WriteTask {
    return {
      key,
      version,
      delayMs,
      ...rest,
      send: (signal) => {
        this.sent.push(`${key} ${version}`);
        for (const { count, resolve } of this.#waiting) if (this.sent.length >= count) resolve();
        return send(signal);
      },
    };
  }

  /** Resolves when so many writes have been begun. */
  untilSent(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.sent.length >= count) resolve();
    else this.#waiting.push({ count, resolve });
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.term.abort();
    await this.queue.clear();
  }
}

/** Lets everything run that only waits for promises. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

function failing(status: number): () => Promise<void> {
  return () => Promise.reject(new KubeError("PATCH", status, "Reason"));
}

Deno.test("sixteen writes are in progress at a time, and all get their turn", async () => {
  await using rig = new Rig();
  const gate = Promise.withResolvers<void>();
  rig.want(
    ...Array.from({ length: 40 }, (_, at) => rig.task(`${at}`, "1", { send: () => gate.promise })),
  );
  await turns();
  assert.deepEqual(rig.sent, Array.from({ length: 16 }, (_, at) => `${at} 1`));
  gate.resolve();
  await rig.untilSent(40);
  await turns();
  assert.equal(rig.reports.length, 40);
});

Deno.test("of one object one write is in progress; a newer one is sent when it has ended", async () => {
  await using rig = new Rig();
  const gate = Promise.withResolvers<void>();
  rig.want(rig.task("a", "1", { send: () => gate.promise }));
  rig.want(rig.task("a", "2"));
  rig.want(rig.task("a", "3"));
  await turns();
  assert.deepEqual(rig.sent, ["a 1"]);
  gate.resolve();
  await turns();
  assert.deepEqual(rig.sent, ["a 1", "a 3"]);
});

Deno.test("what is done is not repeated while the watch does not show it, a new version is at once", async () => {
  await using rig = new Rig();
  rig.want(rig.task("a", "1"));
  await turns();
  rig.want(rig.task("a", "1"));
  await turns();
  assert.deepEqual(rig.sent, ["a 1"]);
  rig.want(rig.task("a", "2"));
  await turns();
  assert.deepEqual(rig.sent, ["a 1", "a 2"]);
});

for (const status of [404, 409, 410]) {
  Deno.test(`an answer ${status} says that the object has changed: its next version is waited for`, async () => {
    await using rig = new Rig();
    rig.want(rig.task("a", "1", { send: failing(status) }));
    await turns();
    rig.want(rig.task("a", "1"));
    await turns();
    assert.deepEqual(rig.reports, ["a stale"]);
    assert.deepEqual(rig.sent, ["a 1"]);
    rig.want(rig.task("a", "2"));
    await turns();
    assert.deepEqual(rig.reports, ["a stale", "a done"]);
  });
}

const outcomes = [
  [400, "refused"],
  [403, "refused"],
  [422, "refused"],
  [0, "failed"],
  [429, "failed"],
  [500, "failed"],
  [503, "failed"],
] as const;

for (const [status, outcome] of outcomes) {
  Deno.test(`an answer ${status} is reported as ${outcome}, and the write is tried again`, async () => {
    await using rig = new Rig();
    let attempts = 0;
    const send = () => attempts++ === 0 ? failing(status)() : Promise.resolve();
    rig.want(rig.task("a", "1", { send }));
    await rig.untilSent(2);
    await turns();
    assert.deepEqual(rig.reports, [`a ${outcome}`, "a done"]);
  });
}

Deno.test("what is refused is tried again within the time that the write asks for", async () => {
  await using rig = new Rig();
  let attempts = 0;
  const send = () => attempts++ < 12 ? failing(403)() : Promise.resolve();
  const begun = performance.now();
  rig.want(rig.task("a", "1", { send, refusedRetryMs: 10 }));
  await rig.untilSent(13);
  await turns();
  const failed = Array.from({ length: 11 }, (_, at) => `a refused ${at + 2}`);
  assert.deepEqual(rig.reports, ["a refused", ...failed, "a done"]);
  // Doubling from 250 ms, it would take half a minute.
  assert.ok(performance.now() - begun < 2_000);
});

Deno.test("an error that is none of the API server's is a failure too", async () => {
  await using rig = new Rig();
  rig.want(rig.task("a", "1", { send: () => Promise.reject(new TypeError("no connection")) }));
  await turns();
  assert.deepEqual(rig.reports, ["a failed"]);
});

Deno.test("what the server wants to be left alone for is waited for, but not by a new version", async () => {
  await using rig = new Rig();
  const error = new KubeError("PATCH", 429, "TooManyRequests", { retryAfterMs: 3_600_000 });
  rig.want(rig.task("a", "1", { send: () => Promise.reject(error) }));
  await turns();
  rig.want(rig.task("a", "1"));
  await turns();
  assert.deepEqual(rig.sent, ["a 1"]);
  rig.want(rig.task("a", "2"));
  await turns();
  assert.deepEqual(rig.sent, ["a 1", "a 2"]);
});

Deno.test("what is not wanted any more before its turn is never sent", async () => {
  await using rig = new Rig();
  const gate = Promise.withResolvers<void>();
  const busy = Array.from(
    { length: 16 },
    (_, at) => rig.task(`${at}`, "1", { send: () => gate.promise }),
  );
  rig.want(...busy, rig.task("late"));
  rig.want(...busy);
  gate.resolve();
  await turns();
  assert.ok(!rig.sent.includes("late 1"));
});

Deno.test("a delay counts from when the write was wanted first, and ends with the wish", async () => {
  await using rig = new Rig();
  const begun = performance.now();
  rig.want(rig.task("a", "1", { delayMs: 200 }), rig.task("b", "1", { delayMs: 200 }));
  await turns();
  assert.deepEqual(rig.sent, []);
  // Another version of the object does not begin the delay anew.
  const timer = Promise.withResolvers<void>();
  setTimeout(timer.resolve, 180);
  await timer.promise;
  rig.want(rig.task("a", "2", { delayMs: 200 }));
  await rig.untilSent(1);
  const waited = performance.now() - begun;
  assert.deepEqual(rig.sent, ["a 2"]);
  assert.ok(waited >= 199 && waited < 370, `${waited} ms`);
});

Deno.test("nothing is sent after the term has ended, and what is being sent is cut off", async () => {
  await using rig = new Rig();
  const cutOff = Promise.withResolvers<void>();
  const send = (signal: AbortSignal) =>
    new Promise<void>((_, reject) =>
      signal.addEventListener("abort", () => {
        cutOff.resolve();
        reject(signal.reason);
      })
    );
  const busy = Array.from({ length: 16 }, (_, at) => rig.task(`${at}`, "1", { send }));
  rig.want(...busy, rig.task("late"));
  rig.term.abort();
  await cutOff.promise;
  await turns();
  assert.equal(rig.sent.length, 16);
  assert.deepEqual(rig.reports, []);
});

Deno.test("a process that was suspended past its term sends nothing when it wakes up", async () => {
  await using rig = new Rig();
  rig.mayWrite = false;
  rig.want(rig.task("a"));
  await turns();
  rig.mayWrite = true;
  assert.deepEqual(rig.sent, []);
});

Deno.test("clearing waits for what is being sent", async () => {
  await using rig = new Rig();
  const gate = Promise.withResolvers<void>();
  rig.want(rig.task("a", "1", { send: () => gate.promise }));
  let cleared = false;
  const clearing = rig.queue.clear().then(() => cleared = true);
  await turns();
  assert.equal(cleared, false);
  gate.resolve();
  await clearing;
});
