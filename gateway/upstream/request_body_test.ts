import assert from "node:assert/strict";
import { BytesSource } from "../http1/byte_source.ts";
import { IdleTimer } from "../idle_timer.ts";
import { Pieces, silent } from "./conformance/rig.ts";
import { SmallBodies } from "./request_body.ts";

const idleTimer = new IdleTimer(5);
const sized = (length: number) => new BytesSource(new Uint8Array(length));

Deno.test("bodies that nobody has paid for yet take a bounded memory, the others are streamed", async () => {
  const bodies = new SmallBodies(1_000);
  const first = await bodies.read(sized(600), idleTimer, 1_000);
  assert.equal(first?.bytes?.length, 600);
  assert.equal(await bodies.read(sized(600), idleTimer, 1_000), undefined, "no room");
  const small = await bodies.read(sized(400), idleTimer, 1_000);
  assert.equal(small?.bytes?.length, 400);
  first.release();
  assert.equal((await bodies.read(sized(600), idleTimer, 1_000))?.bytes?.length, 600);
});

Deno.test("a body that breaks off, or does not arrive in time, gives its room back", async () => {
  const bodies = new SmallBodies(1_000);
  const gone = new Error("gone");
  const broken = new Pieces([], 1_000, () => Promise.reject(gone));
  const late = new Pieces(["x"], 1_000, silent);
  // Idle timers keep no process alive.
  const alive = setTimeout(() => {}, 10_000);
  await assert.rejects(bodies.read(broken, idleTimer, 10_000), (error) => error === gone);
  await assert.rejects(bodies.read(late, idleTimer, 10), { code: "request_timeout" });
  assert.ok(await late.cancelled, "nobody waits for it any more");
  assert.equal((await bodies.read(sized(1_000), idleTimer, 1_000))?.bytes?.length, 1_000);
  clearTimeout(alive);
  idleTimer.close();
});

Deno.test("no body counts as read; one of unknown length or over 1 MiB is streamed", async () => {
  const bodies = new SmallBodies();
  const none = await bodies.read(null, idleTimer, 1_000);
  assert.deepEqual([none !== undefined, none?.bytes], [true, undefined]);
  assert.equal(await bodies.read(new Pieces(["x"], undefined), idleTimer, 1_000), undefined);
  assert.equal(await bodies.read(sized(1024 * 1024 + 1), idleTimer, 1_000), undefined);
  const longest = await bodies.read(sized(1024 * 1024), idleTimer, 1_000);
  assert.equal(longest?.bytes?.length, 1024 * 1024);
});

Deno.test("the bytes are the body's own, whatever its pieces become", async () => {
  const memory = new Uint8Array([1, 2, 3]);
  for (
    const body of [
      new BytesSource(memory),
      new Pieces([memory.subarray(0, 2), memory.subarray(2)], 3),
    ]
  ) {
    const read = await new SmallBodies().read(body, idleTimer, 1_000);
    memory.fill(9);
    assert.deepEqual(read!.bytes, new Uint8Array([1, 2, 3]));
    memory.set([1, 2, 3]);
  }
});
