/** Clients that are too slow, and those that only seem so. */
import assert from "node:assert/strict";
import { readAll } from "../http1/byte_source.ts";
import { latin1 } from "../upstream/raw_sockets.ts";
import { HeaderFields } from "../http1/header_fields.ts";
import { FrontRig, get, ok, sourceOf } from "./front_rig.ts";
import type { RawClient } from "./raw_client.ts";
import { Reply } from "./reply.ts";

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Sends one byte after the other until that fails; resolves with how many there were. */
async function trickle(client: RawClient, byte: string, everyMs: number): Promise<number> {
  for (let sent = 0;; sent++) {
    try {
      await client.send(byte);
    } catch {
      return sent;
    }
    await pause(everyMs);
  }
}

Deno.test("a header has its time from the first byte, however many come", async () => {
  await using rig = new FrontRig(() => ok(), { headMs: 200 });
  const client = await rig.sending("GET / HTTP/1.1\r\nhost: a\r\nx: ");
  const start = performance.now();
  await trickle(client, "y", 10);
  const ms = performance.now() - start;
  assert.ok(ms >= 150 && ms < 2_000, `${ms} ms`);
  await rig.emptied();
});

Deno.test("the time for a header does not run before its first byte, nor after its last", async () => {
  await using rig = new FrontRig(async () => (await pause(150), ok()), { headMs: 100 });
  const client = await rig.connect();
  await pause(150);
  await client.send(get());
  assert.equal((await client.reply()).status, 200);
  await pause(150);
  await client.send(get());
  assert.equal((await client.reply()).status, 200);
});

Deno.test("a pipelined header has its time from when it is looked for", async () => {
  await using rig = new FrontRig(() => ok(), { headMs: 100 });
  const client = await rig.sending(get() + "GET / HTTP/1.1\r\n");
  assert.equal((await client.reply()).status, 200);
  assert.equal(await client.rest(), "");
});

Deno.test("a connection that nothing is asked on is closed, before and after a request", async () => {
  await using rig = new FrontRig(() => ok(), { keepAliveMs: 100 });
  const silent = await rig.connect();
  assert.equal(await silent.rest(), "");
  const used = await rig.sending(get());
  assert.equal((await used.reply()).status, 200);
  assert.equal(await used.rest(), "");
});

Deno.test("a body that stands still for too long breaks off", async () => {
  const failures: unknown[] = [];
  await using rig = new FrontRig(async ({ body }) => {
    await readAll(body!).catch((error) => failures.push(error.code));
    return ok();
  }, { idleMs: 100 });
  const client = await rig.sending("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nx");
  assert.match(await client.rest(), /^(?:<reset>)?$/);
  await pause(0);
  assert.deepEqual(failures, ["request_timeout"]);
});

Deno.test("a body that moves, slowly, is slow enough for the idle time but not for the rate", async () => {
  const clientRate = { graceMs: 200, bytesPerSecond: 1_000 };
  await using rig = new FrontRig(async ({ body }) => ok(latin1(await readAll(body!))), {
    clientRate,
  });
  const head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n";
  const slow = await rig.sending(head);
  assert.ok(await trickle(slow, "x", 20) < 100);
  const fast = await rig.sending(head);
  for (let i = 0; i < 10; i++) {
    await pause(40);
    await fast.send("x".repeat(100));
  }
  assert.equal((await fast.reply()).body.length, 1000);
});

Deno.test("a body that nobody reads is held to the rate as well", async () => {
  const clientRate = { graceMs: 100, bytesPerSecond: 1_000_000 };
  await using rig = new FrontRig(() => ok(), { clientRate });
  const client = await rig.sending("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n");
  assert.equal((await client.reply()).status, 200);
  assert.ok(await trickle(client, "x", 10) < 500);
});

Deno.test("what a client has taken of its reply does not allow it to send more slowly", async () => {
  const clientRate = { graceMs: 100, bytesPerSecond: 1_000 };
  await using rig = new FrontRig(() => ok("x".repeat(1_000_000)), { clientRate });
  const client = await rig.sending("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n");
  assert.equal((await client.reply()).body.length, 1_000_000);
  assert.ok(await trickle(client, "x", 10) < 500);
});

/** An endless reply. */
function endless(): Reply {
  function* pieces() {
    for (;;) yield "x".repeat(64 * 1024);
  }
  return new Reply({ status: 200, headers: new HeaderFields(), body: sourceOf(pieces()) });
}

Deno.test("a client that takes nothing of its reply is cut off after the idle time", async () => {
  await using rig = new FrontRig(endless, { idleMs: 100 });
  await rig.sending(get());
  await rig.request(0);
  await rig.emptied();
});

Deno.test("a client that takes its reply too slowly is cut off", async () => {
  // What the system takes for the client has moved: some megabytes, a part of a second's worth here.
  const clientRate = { graceMs: 200, bytesPerSecond: 2 ** 30 };
  await using rig = new FrontRig(endless, { clientRate });
  const client = await rig.sending(get());
  await rig.request(0);
  const buffer = new Uint8Array(64 * 1024);
  while (rig.server.connections > 0) {
    await client.connection.read(buffer).catch(() => null);
    await pause(5);
  }
});

Deno.test("the time that the gateway itself takes is not the client's", async () => {
  const clientRate = { graceMs: 50, bytesPerSecond: 10_000 };
  async function* slowly() {
    for (const piece of ["one ", "two ", "three"]) {
      await pause(100);
      yield piece;
    }
  }
  await using rig = new FrontRig(async () => {
    await pause(150);
    const pieces = slowly();
    const body = {
      length: undefined,
      take: () => undefined,
      async read() {
        const { value, done } = await pieces.next();
        return done ? null : new TextEncoder().encode(value);
      },
      cancel() {},
    };
    return new Reply({ status: 200, headers: new HeaderFields(), body });
  }, { idleMs: 50, headMs: 50, keepAliveMs: 50, clientRate });
  const client = await rig.sending(get());
  assert.equal((await client.reply()).body, "one two three");
});

Deno.test("a client that sends, but takes nothing of its reply meanwhile, is cut off", async () => {
  await using rig = new FrontRig(({ body }) => {
    // Reads one piece of the request, as a backend does that waits for its reply to be taken.
    void body!.read().catch(() => {});
    return endless();
  }, { idleMs: 150 });
  const client = await rig.sending("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n");
  await rig.request(0);
  await pause(50);
  await client.send("x");
  await rig.emptied();
});
