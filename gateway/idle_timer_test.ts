import assert from "node:assert/strict";
import { IdleTimer } from "./idle_timer.ts";

Deno.test("a silent watch expires once; touched, stopped and extended ones do not", async () => {
  const timer = new IdleTimer(5);
  const expired: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const touched = timer.watch(60, () => expired.push("touched"));
  timer.watch(20, () => expired.push("stopped")).stop();
  timer.watch(20, () => expired.push("extended")).extend(60_000);
  timer.watch(20, () => expired.push("silent"));
  timer.watch(120, () => resolve());
  const touching = setInterval(() => touched.touch(), 10);
  await promise;
  clearInterval(touching);
  timer.close();
  assert.deepEqual(expired, ["silent"]);
});

Deno.test("the timer runs only while something is watched", async () => {
  const timer = new IdleTimer(5);
  const { promise, resolve } = Promise.withResolvers<void>();
  timer.watch(5, () => resolve());
  const awake = setTimeout(() => {}, 10_000); // the timer itself keeps nothing alive
  await promise;
  clearTimeout(awake);
  // The sanitizer of this test would report an interval that is still there: nothing was closed.
});
