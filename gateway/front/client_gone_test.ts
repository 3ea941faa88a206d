/** Clients that leave before their reply is complete. */
import assert from "node:assert/strict";
import { readAll } from "../http1/byte_source.ts";
import { HeaderFields } from "../http1/header_fields.ts";
import type { ClientRequest } from "./client_request.ts";
import { FrontRig, get, ok, sourceOf } from "./front_rig.ts";
import { type Delivery, Reply } from "./reply.ts";

function gone(request: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    if (request.gone) resolve();
    request.onGone = resolve;
  });
}

/** A front whose handler waits until the client is gone, and then answers all the same. */
function waiting(before: (request: ClientRequest) => Promise<unknown> = () => Promise.resolve()) {
  const delivery = Promise.withResolvers<Delivery>();
  const rig = new FrontRig(async (request) => {
    await before(request);
    await gone(request);
    const { status, headers, body } = ok("late");
    return new Reply({ status, headers, body, onEnd: delivery.resolve });
  });
  return { rig, delivery: delivery.promise };
}

const post = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n";

Deno.test("a client that leaves while it is served is noticed", async (t) => {
  await t.step("without a body", async () => {
    const { rig, delivery } = waiting();
    await using _ = rig;
    const client = await rig.sending(get());
    await rig.request(0);
    client[Symbol.dispose]();
    assert.equal(await delivery, "aborted");
  });
  await t.step("after its body was read", async () => {
    const { rig, delivery } = waiting(({ body }) => readAll(body!));
    await using _ = rig;
    const client = await rig.sending(post + "hello");
    await rig.request(0);
    client[Symbol.dispose]();
    assert.equal(await delivery, "aborted");
  });
  await t.step("after its body came piece by piece", async () => {
    const { rig, delivery } = waiting(({ body }) => readAll(body!));
    await using _ = rig;
    const client = await rig.sending(post + "he");
    await rig.request(0);
    await client.send("llo");
    client[Symbol.dispose]();
    assert.equal(await delivery, "aborted");
  });
  await t.step("on the second request of its connection", async () => {
    const { rig, delivery } = waiting(async (request) => {
      if (request.target === "/first") request.markGone();
      await Promise.resolve();
    });
    await using _ = rig;
    const client = await rig.sending(get("/first"));
    assert.equal((await client.reply()).body, "late");
    await client.send(get());
    await rig.request(1);
    client[Symbol.dispose]();
    assert.equal(await delivery, "aborted");
    await rig.emptied();
  });
});

Deno.test("a client that sends nothing more looks as if it had left, but gets its reply", async () => {
  const { rig, delivery } = waiting();
  await using _ = rig;
  const client = await rig.sending(get());
  await rig.request(0);
  await client.closeWrite();
  assert.match(await client.rest(), /^HTTP\/1\.1 200 [^]*late$/);
  assert.equal(await delivery, "aborted");
});

Deno.test("a client that has sent more stays, and gets what it sent for", async () => {
  await using rig = new FrontRig(({ target, gone }) => ok(`${target} ${gone}`));
  const client = await rig.sending(get("/a") + get("/b"));
  await client.closeWrite();
  assert.match(await client.rest(), /\/a false[^]*\/b false$/);
});

Deno.test("a body that breaks off with its client is an error for who reads it", async () => {
  const { promise, resolve } = Promise.withResolvers<{ code: string }>();
  await using rig = new FrontRig(async ({ body }) => {
    await readAll(body!).catch(resolve);
    return ok();
  });
  const client = await rig.sending(post + "he");
  await rig.request(0);
  client[Symbol.dispose]();
  assert.equal((await promise).code, "request_timeout");
});

Deno.test("a half-closed body is an error, too, and its client gets to know", async () => {
  await using rig = new FrontRig(async ({ body }) => {
    await readAll(body!);
    return ok();
  });
  const client = await rig.sending(post + "he");
  await client.closeWrite();
  assert.match(await client.rest(), /^HTTP\/1\.1 408 [^]*\r\nconnection: close\r\n/);
});

Deno.test("a client that leaves within its reply: the body is given up, and not delivered", async () => {
  const delivery = Promise.withResolvers<Delivery>();
  const cancelled = Promise.withResolvers<void>();
  await using rig = new FrontRig(() => {
    function* pieces() {
      try {
        for (;;) yield "x".repeat(64 * 1024);
      } finally {
        cancelled.resolve();
      }
    }
    const body = sourceOf(pieces());
    return new Reply({ status: 200, headers: new HeaderFields(), body, onEnd: delivery.resolve });
  });
  const client = await rig.sending(get());
  await client.connection.read(new Uint8Array(1024));
  client[Symbol.dispose]();
  assert.equal(await delivery.promise, "aborted");
  await cancelled.promise;
  await rig.emptied();
});

Deno.test("a reply that was taken is delivered, and nobody is called gone after it", async () => {
  const deliveries: Delivery[] = [];
  let calls = 0;
  await using rig = new FrontRig((request) => {
    request.onGone = () => calls++;
    const { status, headers, body } = ok();
    return new Reply({ status, headers, body, onEnd: (delivery) => deliveries.push(delivery) });
  });
  const client = await rig.sending(get());
  await client.reply();
  client[Symbol.dispose]();
  await rig.emptied();
  assert.deepEqual([deliveries, calls], [["delivered"], 0]);
});
