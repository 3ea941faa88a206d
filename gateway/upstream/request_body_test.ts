import assert from "node:assert/strict";
import { IdleTimer } from "../idle_timer.ts";
import { SmallBodies } from "./request_body.ts";

const idleTimer = new IdleTimer(5);

function post(body: BodyInit, headers: Record<string, string> = {}): Request {
  return new Request("http://a.test/", {
    method: "POST",
    body,
    headers: { host: "a.test", ...headers },
  });
}

const sized = (length: number) => post("x".repeat(length), { "content-length": String(length) });

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
  const broken = new ReadableStream({ pull: (controller) => controller.error(new Error("gone")) });
  const silent = new ReadableStream<Uint8Array>();
  // Idle timers keep no process alive.
  const alive = setTimeout(() => {}, 10_000);
  for (const body of [broken, silent]) {
    const request = post(body, { "content-length": "1000" });
    await assert.rejects(bodies.read(request, idleTimer, 10), { code: "request_timeout" });
  }
  assert.equal((await bodies.read(sized(1_000), idleTimer, 1_000))?.bytes?.length, 1_000);
  clearTimeout(alive);
  idleTimer.close();
});

Deno.test("no body counts as read; one of unknown length or over 1 MiB is streamed", async () => {
  const bodies = new SmallBodies();
  const none = await bodies.read(new Request("http://a.test/"), idleTimer, 1_000);
  assert.deepEqual([none !== undefined, none?.bytes], [true, undefined]);
  const chunked = post(new Blob(["x"]).stream(), { "transfer-encoding": "chunked" });
  assert.equal(await bodies.read(chunked, idleTimer, 1_000), undefined);
  assert.equal(await bodies.read(sized(1024 * 1024 + 1), idleTimer, 1_000), undefined);
  const longest = await bodies.read(sized(1024 * 1024), idleTimer, 1_000);
  assert.equal(longest?.bytes?.length, 1024 * 1024);
});
