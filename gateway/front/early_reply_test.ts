/** Replies to clients that have not sent all of their request. */
import assert from "node:assert/strict";
import { readAll } from "../http1/byte_source.ts";
import { latin1 } from "../upstream/raw_sockets.ts";
import { FrontRig, get, ok, sourceOf } from "./front_rig.ts";
import { Reply, textReply } from "./reply.ts";
import { HeaderFields } from "../http1/header_fields.ts";

const mebibyte = "x".repeat(2 ** 20);

function post(length: number, ...lines: string[]): string {
  const head = ["POST /post HTTP/1.1", "host: a", `content-length: ${length}`, ...lines];
  return head.join("\r\n") + "\r\n\r\n";
}

Deno.test("the reply does not wait for the body, and the next request follows it", async () => {
  await using rig = new FrontRig((request) => textReply(402, [], request.target));
  const client = await rig.sending(post(3 * 2 ** 20) + mebibyte);
  assert.deepEqual((await client.reply()).body, "/post");
  await client.send(mebibyte + mebibyte + get("/next"));
  assert.equal((await client.reply()).body, "/next");
});

Deno.test("Expect: 100-continue: the body is asked for when it is read, and not before", async () => {
  const { promise: mayRead, resolve: read } = Promise.withResolvers<void>();
  await using rig = new FrontRig(async ({ body }) => {
    await mayRead;
    return ok(latin1(await readAll(body!)));
  });
  const client = await rig.sending(post(5, "expect: 100-Continue"));
  await rig.request(0);
  const interim = client.reply();
  const early = new Promise((resolve) => setTimeout(() => resolve("nothing"), 30));
  assert.equal(await Promise.race([interim, early]), "nothing");
  read();
  assert.deepEqual(await interim, { status: 100, head: "HTTP/1.1 100 Continue\r\n\r\n", body: "" });
  await client.send("hello");
  assert.equal((await client.reply()).body, "hello");
  await client.send(post(5) + "again");
  assert.equal((await client.reply()).body, "again");
});

Deno.test("Expect: 100-continue: a client that does not wait is read as any other", async () => {
  await using rig = new FrontRig(async ({ body }) =>
    ok(body === null ? "none" : latin1(await readAll(body)))
  );
  const client = await rig.sending(post(5, "expect: 100-continue") + "hello" + get("/next"));
  let reply = await client.reply();
  if (reply.status === 100) reply = await client.reply();
  assert.equal(reply.body, "hello");
  assert.equal((await client.reply()).body, "none");
});

Deno.test("Expect: 100-continue: a final status without the body ends the connection", async () => {
  await using rig = new FrontRig(() => textReply(402, [], "pay"));
  const reply = await rig.exchange(post(5, "expect: 100-continue"));
  assert.match(reply, /^HTTP\/1\.1 402 [^]*\r\nconnection: close\r\n\r\npay$/);
  // Whether the client sends the body all the same is not known: it must not be read as a request.
  const sent = await rig.exchange(
    post(get("/smuggled").length, "expect: 100-continue") + get("/smuggled"),
  );
  assert.match(sent, /\r\n\r\npay$/);
  assert.deepEqual(rig.received.map(({ target }) => target), ["/post", "/post"]);
});

Deno.test("Expect: 100-continue: a body read after the reply is not asked for inside of it", async () => {
  const outcomes: unknown[] = [];
  await using rig = new FrontRig(({ body }) => {
    function* pieces() {
      yield "one ";
      body!.read().then(() => outcomes.push("read"), () => outcomes.push("refused"));
      yield "two";
    }
    return new Reply({ status: 200, headers: new HeaderFields(), body: sourceOf(pieces(), 7) });
  });
  const reply = await rig.exchange(post(5, "expect: 100-continue"));
  assert.match(reply, /\r\n\r\none two$/);
  assert.deepEqual(outcomes, ["refused"]);
});

Deno.test("HTTP/1.0 has no interim replies", async () => {
  await using rig = new FrontRig(async ({ body }) => ok(latin1(await readAll(body!))));
  const head = "POST / HTTP/1.0\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n";
  const client = await rig.sending(head);
  await rig.request(0);
  await client.send("hello");
  assert.match(await client.rest(), /^HTTP\/1\.1 200 [^]*hello$/);
});

/** What a client reads that sends everything first, and only then looks at what came. */
async function sendThenRead(rig: FrontRig, head: string, mebibytes: number): Promise<string> {
  const client = await rig.sending(head);
  for (let i = 0; i < mebibytes; i++) await client.send(mebibyte);
  return await client.rest();
}

Deno.test("a refusal is not lost by a reset, however much the client still sends", async () => {
  await using rig = new FrontRig(() => ok());
  const reply = await sendThenRead(rig, "no request\r\n\r\n", 20);
  assert.match(reply, /^HTTP\/1\.1 400 [^]*invalid_request/);
  assert.doesNotMatch(reply, /<reset>/);
});

Deno.test("the last reply is not lost by a reset while its request is still being sent", async () => {
  // The body comes at the client's pace: the time to linger counts from its end.
  await using rig = new FrontRig(() => textReply(402, [], "pay"), { lingerMs: 50 });
  const client = await rig.sending(post(20 * 2 ** 20, "connection: close"));
  for (let i = 0; i < 20; i++) {
    await client.send(mebibyte);
    if (i % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 30));
  }
  const reply = await client.rest();
  assert.match(reply, /\r\nconnection: close\r\n\r\npay$/);
});

Deno.test("the end of the last reply comes at once, not after the request", async () => {
  await using rig = new FrontRig(() => {
    const body = sourceOf(["by ", "the end"]);
    return new Reply({ status: 200, headers: new HeaderFields(), body });
  });
  const client = await rig.sending(post(2 ** 20).replace("HTTP/1.1", "HTTP/1.0"));
  assert.equal((await client.reply()).body, "by the end");
});

Deno.test("a client that never stops sending after its last reply is cut off", async () => {
  await using rig = new FrontRig(() => ok(), { lingerMs: 50 });
  const client = await rig.sending("no request\r\n\r\n");
  assert.equal((await client.reply()).status, 400);
  await assert.rejects(async () => {
    for (;;) await client.send(mebibyte);
  });
});

Deno.test("a client that neither sends nor leaves after its last reply is cut off", async () => {
  await using rig = new FrontRig(() => ok(), { lingerMs: 50 });
  const client = await rig.sending("no request\r\n\r\n");
  await client.rest();
  await rig.emptied();
});
