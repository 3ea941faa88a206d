import assert from "node:assert/strict";
import { close, empty, get, proxyTo } from "./proxy_rig.ts";
import { bytes, exchange } from "./raw_sockets.ts";

Deno.test("request bodies keep their framing", async (t) => {
  const large = "x".repeat(100_000);
  const cases: [name: string, head: string, body: string, wire: RegExp][] = [
    ["length", "Content-Length: 5\r\n", "hello", /content-length: 5\r\n[^]*\r\n\r\nhello$/],
    [
      "large",
      "Content-Length: 100000\r\n",
      large,
      /content-length: 100000\r\n[^]*\r\n\r\nx{100000}$/,
    ],
    [
      "chunked",
      "Transfer-Encoding: chunked\r\n",
      "5\r\nhello\r\n0\r\n\r\n",
      /transfer-encoding: chunked\r\n/,
    ],
    ["empty", "Content-Length: 0\r\n", "", /content-length: 0\r\n/],
    ["none", "", "", /content-length: 0\r\n/],
  ];
  for (const [name, head, body, wire] of cases) {
    await t.step(name, async () => {
      await using proxy = proxyTo(empty);
      await exchange(proxy.port, `POST / HTTP/1.1\r\n${close}${head}\r\n${body}`);
      assert.match(proxy.backend.requests[0] ?? "", wire);
    });
  }
});

Deno.test("bodies over the limit get 413, also to a client that reads only after sending all", async (t) => {
  const limits = { maxBodyBytes: 100_000, maxChunkedBodyBytes: 50_000 };
  const chunk = `3e8\r\n${"x".repeat(1000)}\r\n`;
  const chunkedHead = "Transfer-Encoding: chunked\r\n";
  const cases: [name: string, head: string, body: string, status: RegExp][] = [
    ["announced", "Content-Length: 9000000\r\n", "x".repeat(9_000_000), /^HTTP\/1.1 413 /],
    ["chunked", chunkedHead, chunk.repeat(9000) + "0\r\n\r\n", /^HTTP\/1.1 413 /],
    ["chunked, at the limit", chunkedHead, chunk.repeat(50) + "0\r\n\r\n", /^HTTP\/1.1 200 /],
  ];
  for (const [name, head, body, status] of cases) {
    await t.step(name, async () => {
      await using proxy = proxyTo(async (connection, request) => {
        const decoder = new TextDecoder();
        const buffer = new Uint8Array(65536);
        let tail = request;
        while (!tail.endsWith("0\r\n\r\n")) {
          const count = await connection.read(buffer);
          if (count === null) return;
          tail = tail.slice(-8) + decoder.decode(buffer.subarray(0, count));
        }
        await connection.write(bytes(empty));
      }, { limits });
      using client = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
      const writer = client.writable.getWriter();
      await writer.write(bytes(`POST / HTTP/1.1\r\nHost: h\r\n${head}\r\n${body}`));
      const reply = new Uint8Array(1000);
      assert.match(
        new TextDecoder().decode(reply.subarray(0, await client.read(reply) ?? 0)),
        status,
      );
      writer.releaseLock();
    });
  }
});

Deno.test("a small body over the limit, whose bytes nobody counts, is refused by its length", async () => {
  await using proxy = proxyTo(empty, { limits: { maxBodyBytes: 4 } });
  const text = await exchange(
    proxy.port,
    `POST / HTTP/1.1\r\n${close}Content-Length: 5\r\n\r\nhello`,
  );
  assert.match(text, /^HTTP\/1.1 413 /);
  assert.equal(proxy.backend.requests.length, 0);
});

Deno.test("a backend that answers before it has read the upload gets its answer through", async () => {
  const reply = "HTTP/1.1 403 x\r\ncontent-length: 2\r\n\r\nno";
  await using proxy = proxyTo(reply);
  using client = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
  await client.write(
    bytes(`POST / HTTP/1.1\r\n${close}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`),
  );
  const buffer = new Uint8Array(1000);
  const text = new TextDecoder().decode(buffer.subarray(0, await client.read(buffer) ?? 0));
  assert.match(text, /^HTTP\/1.1 403 /);
});

Deno.test("the body of a GET is not taken for the next request", async () => {
  await using proxy = proxyTo(empty);
  const smuggled = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
  const text = await exchange(
    proxy.port,
    `GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}${get}`,
  );
  assert.equal(text.match(/HTTP\/1.1 200/g)?.length, 2);
  assert.ok(proxy.backend.requests.every((request) => !request.includes("/smuggled")));
});
