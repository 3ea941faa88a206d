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
