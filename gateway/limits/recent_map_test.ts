import assert from "node:assert/strict";
import { RecentMap } from "./recent_map.ts";

function filled(limit: number, count: number): RecentMap<number> {
  const map = new RecentMap<number>(limit);
  for (let i = 0; i < count; i++) map.set(`key ${i}`, i);
  return map;
}

Deno.test("RecentMap holds no more than its limit, and half of it for certain", () => {
  const map = filled(10, 1_000);
  assert.ok(map.size <= 10, `${map.size}`);
  for (let i = 995; i < 1_000; i++) assert.equal(map.get(`key ${i}`), i);
});

Deno.test("RecentMap keeps what is used", () => {
  const map = new RecentMap<string>(10);
  map.set("used", "here");
  for (let i = 0; i < 100; i++) {
    map.set(`other ${i}`, "");
    assert.equal(map.get("used"), "here");
  }
  assert.equal(map.get("other 0"), undefined);
});

Deno.test("RecentMap.turn() forgets what was not used since the last one", () => {
  const map = filled(10, 2);
  map.turn();
  assert.equal(map.get("key 1"), 1);
  map.turn();
  assert.equal(map.get("key 0"), undefined);
  assert.equal(map.get("key 1"), 1);
});

Deno.test("RecentMap.delete() finds it in both halves", () => {
  const map = filled(10, 1);
  map.turn();
  map.delete("key 0");
  assert.equal(map.get("key 0"), undefined);
  map.set("key 1", 1);
  map.delete("key 1");
  assert.equal(map.get("key 1"), undefined);
});

Deno.test("RecentMap makes no room for a key that it has", () => {
  const map = filled(4, 2);
  for (let i = 0; i < 10; i++) map.set("key 0", i);
  map.turn();
  assert.equal(map.get("key 1"), 1);
});
