import assert from "node:assert/strict";
import { IdleTimer } from "./idle_timer.ts";

Deno.test("a silent watch expires once; touched and stopped ones do not", async () => {
  const timer = new IdleTimer(5);
  const expired: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const touched = timer.watch(60, () => expired.push("touched"));
  timer.watch(20, () => expired.push("stopped")).stop();
  timer.watch(20, () => expired.push("silent"));
  timer.watch(120, () => resolve());
  const touching = setInterval(() => touched.touch(), 10);
  await promise;
  clearInterval(touching);
  timer.close();
  assert.deepEqual(expired, ["silent"]);
});

/** Waits for `event` although nothing but an idle timer, which does not count, is still to come. */
async function awaited(event: Promise<void>): Promise<void> {
  const keepAlive = setInterval(() => {}, 1000);
  await event;
  clearInterval(keepAlive);
}

Deno.test("watches that stop leave all others watched, in whatever order they stop", async () => {
  const timer = new IdleTimer(5);
  const expired: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const watches = Array.from({ length: 6 }, (_, i) => timer.watch(20, () => expired.push(i)));
  timer.watch(60, resolve);
  for (const i of [0, 3, 3, 5]) watches[i]!.stop();
  await awaited(promise);
  for (const watch of watches) watch.stop();
  timer.close();
  assert.deepEqual(expired.toSorted(), [1, 2, 4]);
});

Deno.test("a watch that another one's expiry stops does not expire in the same sweep", async () => {
  for (const expireAll of [false, true]) {
    const timer = new IdleTimer(5);
    const expired: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    timer.watch(0, () => {
      expired.push("first");
      second.stop();
    });
    const second = timer.watch(0, () => expired.push("second"));
    timer.watch(0, resolve);
    if (expireAll) timer.expireAll();
    await awaited(promise);
    timer.close();
    assert.deepEqual(expired, ["first"]);
  }
});

Deno.test("expireAll expires every watch although each one leaves as it does", () => {
  const timer = new IdleTimer();
  const expired: number[] = [];
  for (let i = 0; i < 5; i++) timer.watch(60_000, () => expired.push(i));
  timer.expireAll();
  timer.close();
  assert.deepEqual(expired, [0, 1, 2, 3, 4]);
});
