import assert from "node:assert/strict";
import { collectGarbage } from "../../tests/support/collect_garbage.ts";
import { pause } from "./conformance/rig.ts";
import { chunked, close, empty, get, proxyTo } from "./proxy_rig.ts";
import { type Answer, exchange, readMessage, readToEnd, send } from "./raw_sockets.ts";

const transports = ["http1", "fetch"] as const;

/** Takes the request and never answers. */
async function silence(connection: Deno.Conn): Promise<void> {
  await readMessage(connection);
}

/** Writes a part of a reply and then nothing. */
function stall(part: string): Answer {
  return async (connection) => {
    await send(connection, part);
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
  for (const name of transports) {
    for (const [method, reply, head] of cases) {
      await t.step(`${name}: ${method} ${reply.slice(9, 12)}`, async () => {
        await using proxy = proxyTo(reply, { name });
        const text = await exchange(
          proxy.port,
          `${method} / HTTP/1.1\r\nHost: h\r\n\r\n${method} / HTTP/1.1\r\n${close}\r\n`,
        );
        assert.equal(text.match(/HTTP\/1.1 \d/g)?.length, 2);
        assert.match(text, head);
        assert.ok(text.endsWith("\r\n\r\n"), text);
      });
    }
  }
});

Deno.test("a body that breaks off never reaches the client as a complete one", async (t) => {
  const cases: [name: string, reply: string, complete: RegExp][] = [
    ["small", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok", /content-length: 2\r/],
    ["large", "HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\nok", /content-length: 2\r/],
    ["chunked", `${chunked}2\r\nok\r\n`, /\r\n0\r\n|content-length: 2\r/],
    ["chunked, garbage", `${chunked}2\r\nok\r\nzz\r\n`, /\r\n0\r\n|content-length: 2\r/],
  ];
  for (const name of transports) {
    for (const [title, reply, complete] of cases) {
      await t.step(`${name}: ${title}`, async () => {
        await using proxy = proxyTo(reply, { name });
        // No "Connection: close": it is the proxy that ends the connection.
        const text = await exchange(proxy.port, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        assert.doesNotMatch(text, complete);
        assert.equal(await proxy.ended, "aborted");
        // Where all of it was there, the head had not been sent yet.
        if (text.startsWith("HTTP/1.1 502")) assert.match(text, /"upstream_invalid"/);
        else assert.match(text, /^HTTP\/1.1 200 /);
      });
    }
  }
});

Deno.test("a chunked reply is delivered whole and reported so", async () => {
  for (const name of transports) {
    await using proxy = proxyTo(async (connection) => {
      await send(connection, `${chunked}2\r\nok\r\n`);
      await pause(5);
      await send(connection, "0\r\nx-trailer: 1\r\n\r\n");
    }, { name });
    assert.match(await exchange(proxy.port, get), /\r\n\r\n2\r\nok\r\n0\r\n\r\n$/);
    assert.equal(await proxy.ended, "delivered");
  }
});

Deno.test("replies stream: the client has the first chunk before the second is sent", async () => {
  for (const name of transports) {
    const { promise: clientHasFirst, resolve } = Promise.withResolvers<void>();
    await using proxy = proxyTo(async (connection) => {
      await send(connection, `${chunked}5\r\nfirst\r\n`);
      await clientHasFirst;
      await send(connection, "6\r\nsecond\r\n0\r\n\r\n");
      connection.close();
    }, { name });
    const response = await fetch(`http://127.0.0.1:${proxy.port}/`);
    const reader = response.body!.getReader();
    assert.equal(new TextDecoder().decode((await reader.read()).value), "first");
    resolve();
    assert.equal(new TextDecoder().decode((await reader.read()).value), "second");
    assert.equal((await reader.read()).done, true);
  }
});

Deno.test("a client that leaves takes the backend connection with it", async (t) => {
  const cases: [title: string, answer: Answer][] = [
    ["before the head", silence],
    ["in a small body", stall("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok")],
    ["in a stream", stall(`${chunked}2\r\nok\r\n`)],
  ];
  for (const name of transports) {
    for (const [title, answer] of cases) {
      await t.step(`${name}: ${title}`, async () => {
        await using proxy = proxyTo(answer, { name });
        const client = await proxy.front.sending(get);
        if (title === "before the head") {
          while (proxy.backend.requests.length === 0) await pause(1);
        } else await client.connection.read(new Uint8Array(1000));
        // What ends the backend call must not be lost with objects that nobody else needs.
        await collectGarbage();
        client.connection.close();
        await proxy.backend.clientClosed;
        if (title !== "before the head") assert.equal(await proxy.ended, "aborted");
      });
    }
  }
});

Deno.test("a paid call runs to its end although the client left", async () => {
  for (const name of transports) {
    const finished = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    await using proxy = proxyTo(async (connection) => {
      arrived.resolve();
      await left.promise;
      // Long enough for an abort to arrive here, if there were one.
      await pause(100);
      await send(connection, `${chunked}2\r\nok\r\n0\r\n\r\n`);
      finished.resolve();
    }, { name, call: { paid: true } });
    const client = await proxy.front.sending(get);
    await arrived.promise;
    client.connection.close();
    left.resolve();
    await finished.promise;
    assert.equal(await proxy.ended, "aborted");
  }
});

Deno.test("silence of the backend ends the exchange", async (t) => {
  const limits = { connectOrHeadMs: 60, idleMs: 60 };
  const bodies: [title: string, part: string][] = [
    ["large body", "HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\nok"],
    ["stream", `${chunked}2\r\nok\r\n`],
  ];
  for (const name of transports) {
    await t.step(`${name}: no head: 504`, async () => {
      await using proxy = proxyTo(silence, { name, limits });
      assert.match(await exchange(proxy.port, get), /^HTTP\/1.1 504 [^]*"upstream_timeout"/);
      await proxy.backend.clientClosed;
    });
    for (const [title, part] of bodies) {
      await t.step(`${name}: ${title}: broken connection`, async () => {
        await using proxy = proxyTo(stall(part), { name, limits });
        const text = await exchange(proxy.port, get);
        assert.match(text, /^HTTP\/1.1 200 [^]*ok(?:\r\n)?(?:<reset>)?$/);
        await proxy.backend.clientClosed;
      });
    }
    await t.step(`${name}: also after a garbage collection`, async () => {
      const late = { connectOrHeadMs: 1000, idleMs: 300 };
      await using proxy = proxyTo(stall(`${chunked}2\r\nok\r\n`), { name, limits: late });
      const reply = exchange(proxy.port, get);
      await collectGarbage();
      assert.match(await reply, /^HTTP\/1.1 200 [^]*ok/);
      await proxy.backend.clientClosed;
    });
  }
});

Deno.test("bodies that move live longer than any timeout, both ways", async () => {
  const limits = { connectOrHeadMs: 100, idleMs: 100 };
  const slowly = async (connection: Deno.Conn, parts: string[]) => {
    for (const part of parts) {
      await pause(40);
      await send(connection, part);
    }
  };
  const parts = Array.from({ length: 8 }, () => "2\r\nok\r\n").concat("0\r\n\r\n");
  for (const name of transports) {
    await using proxy = proxyTo(async (connection) => {
      await readMessage(connection); // the head only: the slow upload goes on
      await slowly(connection, [chunked, ...parts]);
      connection.close();
    }, { name, limits });
    using client = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
    await send(client, `POST / HTTP/1.1\r\n${close}Transfer-Encoding: chunked\r\n\r\n`);
    await slowly(client, parts);
    assert.match(await readToEnd(client), /^HTTP\/1.1 200 [^]*(?:2\r\nok\r\n){8}0\r\n\r\n$/);
  }
});

Deno.test("no POST is seen twice, however the backend ends the connection", async () => {
  for (const name of transports) {
    await using proxy = proxyTo("", { name });
    const post = `POST / HTTP/1.1\r\n${close}Content-Length: 1\r\n\r\nx`;
    assert.match(await exchange(proxy.port, post), /^HTTP\/1.1 502 [^]*"upstream_reset"/);
    assert.equal(proxy.backend.requests.length, 1);
  }
});

Deno.test("a POST without a body is not sent again on a stale connection", async () => {
  for (const name of transports) {
    await using proxy = proxyTo(async (connection, request) => {
      if (request.startsWith("GET")) await send(connection, empty);
      else connection.close();
    }, { name });
    await exchange(proxy.port, get);
    await exchange(proxy.port, `POST / HTTP/1.1\r\n${close}\r\n`);
    const posts = proxy.backend.requests.filter((request) => request.startsWith("POST"));
    assert.equal(posts.length, 1);
  }
});

Deno.test("a paid GET is not sent again on a stale connection, a free one is", async () => {
  for (const name of transports) {
    for (const paid of [true, false]) {
      await using proxy = proxyTo(async (connection) => {
        if (proxy.backend.requests.length % 2 === 1) await send(connection, empty);
        else connection.close();
      }, { name, call: { paid } });
      await exchange(proxy.port, get);
      const status = paid ? 502 : 200;
      assert.ok((await exchange(proxy.port, get)).startsWith(`HTTP/1.1 ${status} `));
      assert.equal(proxy.backend.requests.length, paid ? 2 : 3);
    }
  }
});

Deno.test("methods that are no requests to a backend, or ask for an echo, are not passed on", async () => {
  await using proxy = proxyTo(empty);
  for (const method of ["get", "Get", "patch", "TRACE", "TRACK"]) {
    const text = await exchange(proxy.port, `${method} / HTTP/1.1\r\n${close}\r\n`);
    assert.match(text, /^HTTP\/1.1 405 [^]*"method_not_supported"/);
  }
  assert.match(await exchange(proxy.port, `PURGE / HTTP/1.1\r\n${close}\r\n`), /^HTTP\/1.1 200 /);
  assert.match(proxy.backend.requests[0]!, /^PURGE \/ /);
});
