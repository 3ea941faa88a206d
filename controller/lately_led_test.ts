import assert from "node:assert/strict";
import { LatelyLed } from "./lately_led.ts";

Deno.test("an Ingress is remembered for a while after it was put back, and not while it leads", () => {
  const led = new LatelyLed(30_000);
  led.see(new Set(["shop/a", "shop/b"]), 0);
  assert.equal(led.nextEnd, undefined);
  led.see(new Set(["shop/b"]), 1_000);
  assert.equal(led.nextEnd, 30_000);
  assert.deepEqual([...led.at(29_999)], ["shop/a", "shop/b"]);
  assert.deepEqual([...led.at(30_000)], ["shop/b"]);
  assert.deepEqual([...led.at(99_000)], ["shop/b"], "it still leads there");
  assert.equal(led.nextEnd, undefined);
});
