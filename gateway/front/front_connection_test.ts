import assert from "node:assert/strict";
import { readAll } from "../http1/byte_source.ts";
import { latin1 } from "../upstream/raw_sockets.ts";
import { FrontRig, get, ok } from "./front_rig.ts";

Deno.test("one request after the other on one connection", async () => {
  await using rig = new FrontRig((request) => ok(request.method + request.target));
  const client = await rig.connect();
  for (const path of ["/a", "/b?c", "*"]) {
    await client.send(get(path));
    const { status, head, body } = await client.reply();
    assert.deepEqual([status, body], [200, "GET" + path]);
    assert.doesNotMatch(head, /^connection:/im);
  }
  assert.equal(rig.server.connections, 1);
});

Deno.test("1,000 pipelined requests are answered in order, one at a time", async () => {
  let atOnce = 0;
  let most = 0;
  await using rig = new FrontRig(async (request) => {
    most = Math.max(most, ++atOnce);
    await Promise.resolve();
    atOnce--;
    return ok(request.target);
  });
  const client = await rig.connect();
  const paths = Array.from({ length: 1000 }, (_, i) => `/${i}`);
  await client.send(paths.map((path) => get(path)).join(""));
  for (const path of paths) assert.equal((await client.reply()).body, path);
  assert.equal(most, 1);
});

Deno.test("while a request is served no more than a buffer is read of what is pipelined", async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await using rig = new FrontRig(async () => {
    await released;
    return ok();
  });
  const client = await rig.sending(get());
  await rig.request(0);
  const requests = get("/", `x: ${"y".repeat(8000)}`).repeat(8000);
  const sending = client.send(requests).then(() => "all of it was taken", () => "stopped");
  const pause = new Promise((resolve) => setTimeout(() => resolve("stopped"), 200));
  // The system's own buffers hold some megabytes, far from the 64 of these requests.
  assert.equal(await Promise.race([sending, pause]), "stopped");
  client[Symbol.dispose]();
  release();
  await sending;
});

Deno.test("bodies of both framings are read, and the next request follows", async () => {
  await using rig = new FrontRig(async ({ body }) => ok(latin1(await readAll(body!))));
  const client = await rig.connect();
  for (
    const body of [
      "content-length: 5\r\n\r\nhello",
      "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ]
  ) {
    await client.send(`POST / HTTP/1.1\r\nhost: a\r\n${body}`);
    assert.equal((await client.reply()).body, "hello");
  }
  await client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n");
  await rig.request(2);
  await client.send("hel");
  await client.send("lo");
  assert.equal((await client.reply()).body, "hello");
});

Deno.test("a body that is taken is not overwritten by a request that follows it", async () => {
  const { promise: sent, resolve } = Promise.withResolvers<void>();
  await using rig = new FrontRig(async ({ body }) => {
    await sent;
    const bytes = body?.take();
    return ok(bytes === undefined ? "nothing" : latin1(bytes));
  });
  const client = await rig.sending("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello");
  await rig.request(0);
  await client.send("G".repeat(200) + "ET / HTTP/1.1\r\nhost: a\r\n\r\n");
  // On the loopback interface what has been written has arrived.
  resolve();
  assert.equal((await client.reply()).body, "hello");
});

Deno.test("a body that nobody reads is passed over", async () => {
  await using rig = new FrontRig((request) => ok(request.target));
  const client = await rig.connect();
  for (
    const body of [
      "content-length: 5\r\n\r\nhello",
      "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ]
  ) {
    await client.send(`POST /post HTTP/1.1\r\nhost: a\r\n${body}${get("/next")}`);
    assert.equal((await client.reply()).body, "/post");
    assert.equal((await client.reply()).body, "/next");
  }
});

Deno.test("a body that nobody reads and that is too long ends the connection", async () => {
  await using rig = new FrontRig(() => ok(), { lingerMs: 50 });
  const client = await rig.sending(
    `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${2 ** 40}\r\n\r\n`,
  );
  assert.equal((await client.reply()).status, 200);
  const piece = "x".repeat(2 ** 20);
  let sent = 0;
  try {
    for (; sent < 200; sent++) await client.send(piece);
  } catch {
    // as it should be
  }
  assert.ok(sent >= 64 && sent < 200, `${sent} MiB were taken`);
});

Deno.test("HTTP/1.0: one request a connection, whatever it asks for", async () => {
  await using rig = new FrontRig((request) => ok(request.target));
  for (const line of ["", "connection: keep-alive\r\n"]) {
    const reply = await rig.exchange(`GET /a HTTP/1.0\r\nhost: a\r\n${line}\r\n` + get("/b"));
    assert.match(reply, /^HTTP\/1\.1 200 OK\r\n[^]*\r\nconnection: close\r\n\r\n\/a$/);
  }
});

Deno.test("a request that is said to be the last one is", async () => {
  await using rig = new FrontRig((request) => ok(request.target));
  const text = await rig.exchange(get("/a", "connection: close") + get("/b"));
  assert.match(text, /\r\nconnection: close\r\n\r\n\/a$/);
  assert.equal(rig.received.length, 1);
});

Deno.test("empty lines between requests are no requests", async () => {
  await using rig = new FrontRig((request) => ok(request.target));
  const client = await rig.sending(`\r\n${get("/a")}\r\n\r\n${get("/b")}`);
  assert.equal((await client.reply()).body, "/a");
  assert.equal((await client.reply()).body, "/b");
});

const malformed: [name: string, text: string, status: number, code: string][] = [
  ["no request line", "hello\r\n\r\n", 400, "invalid_request"],
  ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "version_not_supported"],
  ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\r\n\r\n", 400, "invalid_request"],
  ["a line feed by itself", "GET / HTTP/1.1\nhost: a\n\n", 400, "invalid_request"],
  ["a folded line", "GET / HTTP/1.1\r\nhost: a\r\n b\r\n\r\n", 400, "invalid_request"],
  ["a carriage return", "GET / HTTP/1.1\r\nhost: a\r\r\n\r\n", 400, "invalid_request"],
  ["two lengths", get("/", "content-length: 1", "content-length: 2"), 400, "invalid_request"],
  [
    "length and chunks",
    get("/", "content-length: 1", "transfer-encoding: chunked"),
    400,
    "invalid_request",
  ],
  ["a coding", get("/", "transfer-encoding: gzip"), 501, "invalid_transfer_encoding"],
  [
    "chunks in HTTP/1.0",
    "POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n",
    400,
    "invalid_request",
  ],
  ["a long header", get("/", `x: ${"y".repeat(70_000)}`), 431, "head_too_large"],
  [
    "many header lines",
    get("/", ..."x: y,".repeat(200).split(",").slice(0, 200)),
    431,
    "head_too_large",
  ],
];

Deno.test("what is no request gets its status, and nothing after it is read", async (t) => {
  for (const [name, text, status, code] of malformed) {
    await t.step(name, async () => {
      await using rig = new FrontRig(() => ok());
      const reply = await rig.exchange(get("/before") + text + get("/after"));
      assert.match(reply, /^HTTP\/1\.1 200 /);
      const refusal = reply.slice(reply.indexOf("HTTP/1.1", 1));
      assert.match(refusal, new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.match(refusal, /\r\nconnection: close\r\n/);
      assert.equal(JSON.parse(refusal.slice(refusal.indexOf("\r\n\r\n"))).error, code);
      assert.deepEqual(rig.received.map(({ target }) => target), ["/before"]);
    });
  }
});

Deno.test("a header that never ends is refused when it is too long, not kept", async () => {
  await using rig = new FrontRig(() => ok(), { maxHeadBytes: 8 * 1024 });
  const client = await rig.sending("GET / HTTP/1.1\r\nx: " + "y".repeat(9 * 1024));
  assert.equal((await client.reply()).status, 431);
  const within = await rig.sending(get("/", "x: " + "y".repeat(8 * 1024 - 40)));
  assert.equal((await within.reply()).status, 200);
});

Deno.test("a body that is no body is a 400 for who reads it, and ends the connection", async () => {
  await using rig = new FrontRig(async ({ body }) => ok(latin1(await readAll(body!))));
  const head = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
  const client = await rig.sending(head + "5\r\nhello\r\n");
  await rig.request(0);
  await client.send("x\r\n" + get("/after"));
  const reply = await client.rest();
  assert.match(reply, /^HTTP\/1\.1 400 [^]*\r\nconnection: close\r\n[^]*invalid_request/);
  assert.doesNotMatch(reply, /<reset>/);
  const atOnce = await rig.exchange(head + "x\r\n" + get("/after"));
  assert.match(atOnce, /^HTTP\/1\.1 400 /);
  assert.equal(rig.received.length, 2);
});
