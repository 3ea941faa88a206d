import assert from "node:assert/strict";
import { IdleTimer } from "../idle_timer.ts";
import { Failure } from "../failures.ts";
import { canonicalRequest } from "../routing/canonical_request.ts";
import { FetchTransport } from "./fetch_transport.ts";
import { backendHeaders } from "./headers.ts";
import { type ProxyCall, type ProxyLimits, proxyRequest } from "./proxy.ts";
import { type Answer, bytes, exchange, rawBackend, readMessage, readToEnd } from "./raw_sockets.ts";

const defaults: ProxyLimits = {
  connectOrHeadMs: 10_000,
  idleMs: 10_000,
  maxChunkedBodyBytes: 64 * 1024 * 1024,
};

interface Options {
  readonly limits?: Partial<ProxyLimits>;
  readonly call?: Partial<ProxyCall>;
}

/** A gateway in front of a raw backend; failures are answered with their code. */
function proxyTo(answer: Answer, { limits, call }: Options = {}) {
  const backend = rawBackend(answer);
  const transport = new FetchTransport();
  const idleTimer = new IdleTimer(10);
  const settings = { transport, idleTimer, limits: { ...defaults, ...limits } };
  const ended = Promise.withResolvers<"delivered" | "aborted">();
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request, info) => {
      const target = canonicalRequest(request);
      const peer = { address: info.remoteAddr.hostname, trusted: false };
      const headers = backendHeaders(request.headers, target.authority, peer);
      const common = {
        request,
        target,
        headers,
        info,
        backendUrl: backend.url,
        onDone: ended.resolve,
      };
      try {
        return await proxyRequest(settings, { ...common, once: false, detached: false, ...call });
      } catch (error) {
        const { code, status } = Failure.from(error);
        return new Response(code, { status });
      }
    },
  );
  return {
    backend,
    port: server.addr.port,
    ended: ended.promise,
    async [Symbol.asyncDispose]() {
      await backend[Symbol.asyncDispose]();
      await server.shutdown();
      idleTimer.close();
      transport.close();
    },
  };
}

const close = "Host: h\r\nConnection: close\r\n";
const get = `GET / HTTP/1.1\r\n${close}\r\n`;
const chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
const empty = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

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

Deno.test("a paid reply may wait for its settlement longer than the idle time", async () => {
  const limits = { idleMs: 50 };
  await using proxy = proxyTo(`HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok`, { limits });
  const transport = new FetchTransport();
  const idleTimer = new IdleTimer(10);
  const request = new Request("http://h/", { headers: { host: "h" } });
  const reply = await proxyRequest({ transport, idleTimer, limits: { ...defaults, ...limits } }, {
    request,
    target: canonicalRequest(request),
    backendUrl: proxy.backend.url,
    headers: [["host", "h"]],
    once: true,
    detached: true,
  });
  await new Promise((next) => setTimeout(next, 150));
  assert.equal(await reply.text(), "ok");
  idleTimer.close();
  transport.close();
});

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

Deno.test("bodies over the limit are answered with 413, even to a client that goes on sending", async (t) => {
  const limits = { maxBodyBytes: 10_000, maxChunkedBodyBytes: 5_000 };
  const piece = "x".repeat(1000);
  const chunk = `3e8\r\n${piece}\r\n`;
  const cases: [name: string, head: string, body: string, status: RegExp][] = [
    ["announced", "Content-Length: 10001\r\n", piece, /^HTTP\/1.1 413 /],
    ["chunked", "Transfer-Encoding: chunked\r\n", chunk.repeat(6), /^HTTP\/1.1 413 /],
    [
      "chunked, below",
      "Transfer-Encoding: chunked\r\n",
      chunk.repeat(5) + "0\r\n\r\n",
      /^HTTP\/1.1 200 /,
    ],
  ];
  for (const [name, head, body, status] of cases) {
    await t.step(name, async () => {
      await using proxy = proxyTo(async (connection, request) => {
        let all = request;
        const buffer = new Uint8Array(65536);
        while (!all.endsWith("0\r\n\r\n")) {
          const count = await connection.read(buffer);
          if (count === null) return;
          all += new TextDecoder().decode(buffer.subarray(0, count));
        }
        await connection.write(bytes(empty));
      }, { limits });
      using client = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
      await client.write(bytes(`POST / HTTP/1.1\r\n${close}${head}\r\n${body}`));
      const reply = new Uint8Array(1000);
      assert.match(
        new TextDecoder().decode(reply.subarray(0, await client.read(reply) ?? 0)),
        status,
      );
    });
  }
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

Deno.test("no POST is seen twice, however the backend ends the connection", async () => {
  await using proxy = proxyTo("");
  const post = `POST / HTTP/1.1\r\n${close}Content-Length: 1\r\n\r\nx`;
  assert.match(await exchange(proxy.port, post), /^HTTP\/1.1 502 [^]*upstream_reset$/);
  assert.equal(proxy.backend.requests.length, 1);
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
