import assert from "node:assert/strict";
import { pause } from "./conformance/rig.ts";
import { close, empty, get, proxyTo } from "./proxy_rig.ts";
import { exchange, readHead, readToEnd, readUntil, send } from "./raw_sockets.ts";

const transports = ["http1", "fetch"] as const;
const chunkedHead = "Transfer-Encoding: chunked\r\n";

Deno.test("request bodies keep their framing", async (t) => {
  const large = "x".repeat(100_000);
  const cases: [name: string, head: string, body: string, wire: RegExp][] = [
    ["length", "Content-Length: 5\r\n", "hello", /content-length: 5\r\n[^]*\r\nhello$/],
    ["large", "Content-Length: 100000\r\n", large, /content-length: 100000\r\n[^]*\r\nx{100000}$/],
    ["chunked", chunkedHead, "5\r\nhello\r\n0\r\n\r\n", /transfer-encoding: chunked\r\n/],
    ["empty", "Content-Length: 0\r\n", "", /content-length: 0\r\n/],
    ["none", "", "", /content-length: 0\r\n/],
  ];
  for (const name of transports) {
    for (const [title, head, body, wire] of cases) {
      await t.step(`${name}: ${title}`, async () => {
        await using proxy = proxyTo(empty, { name });
        await exchange(proxy.port, `POST / HTTP/1.1\r\n${close}${head}\r\n${body}`);
        assert.match(proxy.backend.requests[0] ?? "", wire);
      });
    }
  }
});

Deno.test("bodies over the limit get 413, also to a client that reads only after sending all", async (t) => {
  const limits = { maxBodyBytes: 100_000, maxChunkedBodyBytes: 50_000 };
  const chunk = `3e8\r\n${"x".repeat(1000)}\r\n`;
  const cases: [name: string, head: string, body: string, status: number][] = [
    ["announced", "Content-Length: 9000000\r\n", "x".repeat(9_000_000), 413],
    ["chunked", chunkedHead, chunk.repeat(9000) + "0\r\n\r\n", 413],
    ["chunked, at the limit", chunkedHead, chunk.repeat(50) + "0\r\n\r\n", 200],
  ];
  for (const name of transports) {
    for (const [title, head, body, status] of cases) {
      await t.step(`${name}: ${title}`, async () => {
        let seen = "";
        await using proxy = proxyTo(async (connection, request) => {
          seen = request;
          const isEnd = (text: string) => (request + text).endsWith("\r\n0\r\n\r\n");
          if (!isEnd("")) seen += await readUntil(connection, isEnd) ?? "";
          await send(connection, empty);
        }, { name, limits, read: readHead });
        const client = await proxy.front.sending(
          `POST / HTTP/1.1\r\nHost: h\r\n${head}\r\n${body}`,
        );
        assert.equal((await client.reply()).status, status);
        assert.equal(seen.endsWith("\r\n0\r\n\r\n"), status === 200, "no end of what is cut off");
      });
    }
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
  for (const name of transports) {
    for (const head of [chunkedHead, "Content-Length: 1000000\r\n"]) {
      await using proxy = proxyTo(reply, { name, read: readHead });
      const client = await proxy.front.sending(`POST / HTTP/1.1\r\nHost: h\r\n${head}\r\n`);
      await client.send("5\r\nhello\r\n");
      const { status, body } = await client.reply();
      assert.deepEqual([status, body], [403, "no"]);
    }
  }
});

Deno.test("a client that leaves in its upload: the backend sees no end of the body", async (t) => {
  const cases: [title: string, head: string, part: string, seen: RegExp][] = [
    ["chunked", chunkedHead, "2\r\nhe\r", /\r\n\r\n2\r\nhe\r\n$/],
    ["announced", "Content-Length: 6\r\n", "he", /\r\n\r\nhe$/],
  ];
  for (const name of transports) {
    for (const [title, head, part, seen] of cases) {
      await t.step(`${name}: ${title}`, async () => {
        const received = Promise.withResolvers<string>();
        const begun = Promise.withResolvers<void>();
        await using proxy = proxyTo(async (connection, start) => {
          let text = start;
          const isEnd = (more: string) => {
            text = start + more;
            if (text.includes("he")) begun.resolve();
            return false;
          };
          isEnd("");
          await readUntil(connection, isEnd).catch(() => {});
          received.resolve(text);
        }, { name, read: readHead });
        const client = await proxy.front.sending(`POST / HTTP/1.1\r\nHost: h\r\n${head}\r\n`);
        await client.send(part);
        await begun.promise;
        client.connection.close();
        assert.match(await received.promise, seen);
      });
    }
  }
});

Deno.test("a chunked body that is none is the client's fault, and has no end for the backend", async () => {
  const head = `POST / HTTP/1.1\r\nHost: h\r\n${chunkedHead}\r\n`;
  const good = "5\r\nhello\r\n";
  const bad = "0x1\r\nx\r\n0\r\n\r\n";
  for (const name of transports) {
    for (const [first, then] of [[head + good, bad], [head, good + bad], [head + good + bad, ""]]) {
      let seen = "";
      await using proxy = proxyTo(async (connection, start) => {
        seen = start + await readToEnd(connection);
      }, { name, read: readHead });
      const client = await proxy.front.sending(first!);
      await proxy.front.request(0);
      await pause(5);
      await client.send(then!);
      const { status, body } = await client.reply();
      assert.deepEqual([status, body.includes('"invalid_request"')], [400, true]);
      await pause(5);
      assert.doesNotMatch(seen, /\r\n0\r\n/);
    }
  }
});

Deno.test("the body of a GET is not taken for the next request", async () => {
  await using proxy = proxyTo(empty);
  const smuggled = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
  const text = await exchange(
    proxy.port,
    `GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}${get}`,
  );
  assert.equal(text.match(/HTTP\/1.1 200/g)?.length, 2);
  const [first] = proxy.backend.requests;
  assert.ok(first!.endsWith(`content-length: ${smuggled.length}\r\n\r\n${smuggled}`), "its body");
  assert.ok(proxy.backend.requests.every((request) => !request.startsWith("GET /smuggled")));
});
