import assert from "node:assert/strict";
import { Metrics } from "../../store/metrics.ts";
import { collectGarbage } from "../../tests/support/collect_garbage.ts";
import { IdleTimer } from "../idle_timer.ts";
import { canonicalRequest } from "../routing/canonical_request.ts";
import { FetchTransport } from "./fetch_transport.ts";
import { proxyRequest } from "./proxy.ts";
import { chunked, close, defaults, empty, get, proxyTo } from "./proxy_rig.ts";
import { type Answer, bytes, exchange, rawBackend, readMessage, readToEnd } from "./raw_sockets.ts";

/** Takes the request and never answers. */
async function silence(connection: Deno.Conn): Promise<void> {
  await readMessage(connection);
}

/** Writes a part of a reply and then nothing. */
function stall(part: string): Answer {
  return async (connection) => {
    await connection.write(bytes(part));
    await silence(connection);
  };
}

Deno.test("replies without a body end at once, on connections that stay open", async (t) => {
  const cases: [method: string, reply: string, head: RegExp][] = [
    [
      "HEAD",
      "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n",
      /^HTTP\/1.1 200 [^]*content-length: 5\r\n/,
    ],
    ["GET", "HTTP/1.1 204 x\r\n\r\n", /^HTTP\/1.1 204 /],
    ["GET", 'HTTP/1.1 304 x\r\netag: "a"\r\n\r\n', /^HTTP\/1.1 304 [^]*etag: "a"/],
    // A client waits for the body of a 205 without length until the connection ends.
    ["GET", "HTTP/1.1 205 x\r\ncontent-length: 0\r\n\r\n", /^HTTP\/1.1 204 /],
  ];
  for (const [method, reply, head] of cases) {
    await t.step(`${method} ${reply.slice(9, 12)}`, async () => {
      await using proxy = proxyTo(reply);
      const text = await exchange(
        proxy.port,
        `${method} / HTTP/1.1\r\nHost: h\r\n\r\n${method} / HTTP/1.1\r\n${close}\r\n`,
      );
      assert.equal(text.match(/HTTP\/1.1 \d/g)?.length, 2);
      assert.match(text, head);
      assert.ok(text.endsWith("\r\n\r\n"), text);
    });
  }
});

Deno.test("a body that breaks off reaches the client as a broken connection", async (t) => {
  const cases: [name: string, reply: string, complete: RegExp][] = [
    [
      "small, cut off",
      "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok",
      /^(?![^]*content-length: 2)/,
    ],
    [
      "large, cut off",
      "HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\nok",
      /content-length: 99999/,
    ],
    ["chunked, cut off", `${chunked}2\r\nok\r\n`, /^(?![^]*\r\n0\r\n)/],
    ["chunked, garbage", `${chunked}2\r\nok\r\nzz\r\n`, /^(?![^]*\r\n0\r\n)/],
  ];
  for (const [name, reply, pattern] of cases) {
    await t.step(name, async () => {
      await using proxy = proxyTo(reply);
      // No "Connection: close": it is the proxy that ends the connection.
      const text = await exchange(proxy.port, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
      assert.match(text, pattern);
      if (!name.startsWith("small")) assert.equal(await proxy.ended, "aborted");
    });
  }
});

Deno.test("a chunked reply is delivered whole and reported so", async () => {
  await using proxy = proxyTo(`${chunked}2\r\nok\r\n0\r\n\r\n`);
  assert.match(await exchange(proxy.port, get), /\r\n\r\n2\r\nok\r\n0\r\n\r\n$/);
  assert.equal(await proxy.ended, "delivered");
});

Deno.test("replies stream: the client has the first chunk before the second is sent", async () => {
  const { promise: clientHasFirst, resolve } = Promise.withResolvers<void>();
  await using proxy = proxyTo(async (connection) => {
    await connection.write(bytes(`${chunked}5\r\nfirst\r\n`));
    await clientHasFirst;
    await connection.write(bytes("6\r\nsecond\r\n0\r\n\r\n"));
    connection.close();
  });
  const response = await fetch(`http://127.0.0.1:${proxy.port}/`);
  const reader = response.body!.getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value), "first");
  resolve();
  assert.equal(new TextDecoder().decode((await reader.read()).value), "second");
  assert.equal((await reader.read()).done, true);
});

Deno.test("a client that leaves takes the backend connection with it", async (t) => {
  const cases: [name: string, answer: Answer][] = [
    ["before the head", silence],
    ["in a small body", stall("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok")],
    ["in a stream", stall(`${chunked}2\r\nok\r\n`)],
  ];
  for (const [name, answer] of cases) {
    await t.step(name, async () => {
      await using proxy = proxyTo(answer);
      const client = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
      await client.write(bytes(get));
      if (name === "before the head") {
        while (proxy.backend.requests.length === 0) {
          await new Promise((next) => setTimeout(next, 1));
        }
      } else await client.read(new Uint8Array(1000));
      // What ends the backend call must not be lost with objects that nobody else needs.
      await collectGarbage();
      client.close();
      await proxy.backend.clientClosed;
      if (name === "in a stream") assert.equal(await proxy.ended, "aborted");
    });
  }
});

Deno.test("a detached call runs to its end although the client left", async () => {
  const finished = Promise.withResolvers<void>();
  const client = Promise.withResolvers<Deno.Conn>();
  await using proxy = proxyTo(async (connection) => {
    (await client.promise).close();
    // Long enough for an abort to arrive here, if there were one.
    await new Promise((next) => setTimeout(next, 100));
    await connection.write(bytes(`${chunked}2\r\nok\r\n0\r\n\r\n`));
    finished.resolve();
  }, { call: { detached: true } });
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
  await connection.write(bytes(get));
  client.resolve(connection);
  await finished.promise;
  assert.equal(await proxy.ended, "aborted");
});

Deno.test("silence of the backend ends the exchange", async (t) => {
  const limits = { connectOrHeadMs: 60, idleMs: 60 };
  await t.step("no head: 504", async () => {
    await using proxy = proxyTo(silence, { limits });
    assert.match(await exchange(proxy.port, get), /^HTTP\/1.1 504 [^]*upstream_timeout$/);
    await proxy.backend.clientClosed;
  });
  const bodies: [name: string, part: string][] = [
    ["large body", "HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\nok"],
    ["stream", `${chunked}2\r\nok\r\n`],
  ];
  for (const [name, part] of bodies) {
    await t.step(`${name}: broken connection`, async () => {
      await using proxy = proxyTo(stall(part), { limits });
      assert.match(await exchange(proxy.port, get), /^HTTP\/1.1 200 [^]*ok(?:\r\n)?(?:<reset>)?$/);
      await proxy.backend.clientClosed;
    });
  }
});

Deno.test("silence of the backend ends the exchange also after a garbage collection", async () => {
  const part = `${chunked}2\r\nok\r\n`;
  await using proxy = proxyTo(stall(part), { limits: { connectOrHeadMs: 1000, idleMs: 300 } });
  const reply = exchange(proxy.port, get);
  await collectGarbage();
  assert.match(await reply, /^HTTP\/1.1 200 [^]*ok/);
  await proxy.backend.clientClosed;
});

Deno.test("bodies that move live longer than any timeout, both ways", async () => {
  const limits = { connectOrHeadMs: 100, idleMs: 100 };
  const slowly = async (connection: Deno.Conn, parts: string[]) => {
    for (const part of parts) {
      await new Promise((next) => setTimeout(next, 40));
      await connection.write(bytes(part));
    }
  };
  const parts = Array.from({ length: 8 }, () => "2\r\nok\r\n").concat("0\r\n\r\n");
  await using proxy = proxyTo(async (connection) => {
    await readMessage(connection); // the head only: the slow upload goes on
    await slowly(connection, [chunked, ...parts]);
    connection.close();
  }, { limits });
  using client = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
  await client.write(bytes(`POST / HTTP/1.1\r\n${close}Transfer-Encoding: chunked\r\n\r\n`));
  await slowly(client, parts);
  assert.match(await readToEnd(client), /^HTTP\/1.1 200 [^]*(?:2\r\nok\r\n){8}0\r\n\r\n$/);
});

/** Calls the backend without a server, so that the test is the reader of the reply. */
async function directly(
  backendUrl: string,
  idleMs: number,
  test: (reply: Response) => Promise<void>,
) {
  const transport = new FetchTransport();
  const idleTimer = new IdleTimer(5);
  const request = new Request("http://h/", { headers: { host: "h" } });
  const { proxyDuration: duration } = new Metrics();
  const settings = { transport, idleTimer, limits: { ...defaults, idleMs }, duration };
  const reply = await proxyRequest(settings, {
    request,
    target: canonicalRequest(request),
    backendUrl,
    headers: [["host", "h"]],
    once: true,
    detached: true,
  });
  await test(reply);
  idleTimer.close();
  transport.close();
}

const pause = (ms: number) => new Promise((next) => setTimeout(next, ms));

Deno.test("a paid reply may wait for its settlement longer than the idle time", async () => {
  await using backend = rawBackend("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
  await directly(backend.url, 50, async (reply) => {
    await pause(150);
    assert.equal(await reply.text(), "ok");
  });
});

Deno.test("a chunk that comes late leaves the reader the whole idle time to take it", async () => {
  await using backend = rawBackend(async (connection) => {
    await connection.write(bytes(chunked));
    await pause(140);
    await connection.write(bytes("2\r\nok\r\n0\r\n\r\n"));
  });
  await directly(backend.url, 200, async (reply) => {
    const reader = reply.body!.getReader();
    await reader.read();
    await pause(140);
    assert.equal((await reader.read()).done, true);
  });
});

Deno.test("no POST is seen twice, however the backend ends the connection", async () => {
  await using proxy = proxyTo("");
  const post = `POST / HTTP/1.1\r\n${close}Content-Length: 1\r\n\r\nx`;
  assert.match(await exchange(proxy.port, post), /^HTTP\/1.1 502 [^]*upstream_reset$/);
  assert.equal(proxy.backend.requests.length, 1);
});

Deno.test("a POST without a body is not sent again on a stale connection", async () => {
  await using proxy = proxyTo(async (connection, request) => {
    if (request.startsWith("GET")) await connection.write(bytes(empty));
    else connection.close();
  });
  await exchange(proxy.port, get);
  await exchange(proxy.port, `POST / HTTP/1.1\r\n${close}\r\n`);
  assert.equal(proxy.backend.requests.filter((request) => request.startsWith("POST")).length, 1);
});

Deno.test("methods that fetch would change or refuse are not passed on", async () => {
  await using proxy = proxyTo(empty);
  for (const method of ["get", "Get", "patch", "TRACE", "TRACK"]) {
    const text = await exchange(proxy.port, `${method} / HTTP/1.1\r\n${close}\r\n`);
    assert.match(text, /^HTTP\/1.1 405 [^]*method_not_supported$/);
  }
  assert.match(await exchange(proxy.port, `PURGE / HTTP/1.1\r\n${close}\r\n`), /^HTTP\/1.1 200 /);
  assert.match(proxy.backend.requests[0] ?? "", /^PURGE \/ /);
});
