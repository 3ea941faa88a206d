/** Times, and failures that a client is told of. */
import assert from "node:assert/strict";
import { ClientRequest } from "../front/client_request.ts";
import { isSource } from "../front/reply.ts";
import { readAll } from "../http1/byte_source.ts";
import { HeaderFields } from "../http1/header_fields.ts";
import { defaultDialing, defaultLimits, pause } from "./conformance/rig.ts";
import { Http1Transport } from "./http1_transport.ts";
import { chunked, close, directly, empty, get, proxyTo } from "./proxy_rig.ts";
import {
  always,
  bytes,
  closedPort,
  exchange,
  latin1,
  rawBackend,
  readHead,
  send,
} from "./raw_sockets.ts";

function request(): ClientRequest {
  const fields = HeaderFields.of([["host", "h"]]);
  return new ClientRequest({ method: "GET", target: "/", minorVersion: 1, fields }, null, "::1");
}

Deno.test("a paid reply may wait for its settlement longer than the idle time", async () => {
  await using backend = rawBackend("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
  await directly(request(), backend.url, { idleMs: 50 }, async (reply) => {
    await pause(150);
    assert.ok(isSource(reply.body));
    assert.equal(latin1(await readAll(reply.body)), "ok");
  });
});

Deno.test("a chunk that comes late leaves the reader the whole idle time to take it", async () => {
  await using backend = rawBackend(async (connection) => {
    await send(connection, chunked);
    await pause(140);
    await send(connection, "2\r\nok\r\n0\r\n\r\n");
  });
  await directly(request(), backend.url, { idleMs: 200 }, async ({ body }) => {
    assert.ok(isSource(body));
    assert.equal(latin1((await body.read())!), "ok");
    await pause(140);
    assert.equal(await body.read(), null);
  });
});

Deno.test("who keeps an upload from going on is to blame for its end", async () => {
  const limits = { connectOrHeadMs: 100 };
  const head = `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 30000000\r\n\r\n`;
  await using proxy = proxyTo(() => Promise.withResolvers<void>().promise, {
    limits,
    read: readHead,
  });
  // The client is silent, the backend would read.
  const stalled = await proxy.front.sending(head + "x");
  assert.match((await stalled.reply()).body, /"request_timeout"/);
  // The client would send, the backend does not read.
  const held = await proxy.front.sending(head);
  const sending = held.send("x".repeat(30_000_000)).catch(() => {});
  assert.match((await held.reply()).body, /"upstream_timeout"/);
  held.connection.close();
  await sending;
});

Deno.test("what a client is told when there is no reply, without addresses", async () => {
  const cases: [answer: string, status: number, code: string][] = [
    ["", 502, "upstream_reset"],
    ["SSH-2.0-x\r\n\r\n", 502, "upstream_invalid"],
    ["HTTP/1.1 200 OK\nx: 1\n\n", 502, "upstream_invalid"],
    [
      `HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab`,
      502,
      "upstream_invalid",
    ],
  ];
  for (const [answer, status, code] of cases) {
    await using proxy = proxyTo(answer);
    const text = await exchange(proxy.port, get);
    assert.match(text, new RegExp(`^HTTP/1.1 ${status} [^]*"error":"${code}"`));
    assert.doesNotMatch(text, /127\.0\.0\.1|content-length is not/);
  }
  await using proxy = proxyTo(empty, { call: { backendUrl: `http://127.0.0.1:${closedPort()}` } });
  assert.match(
    await exchange(proxy.port, get),
    /^HTTP\/1.1 502 [^]*"error":"upstream_unreachable"/,
  );
});

Deno.test("more requests than a backend may have: 503 at once, and later they pass", async () => {
  const answer = Promise.withResolvers<void>();
  const limits = { ...defaultLimits, maxConnections: 1, maxWaiting: 1 };
  const transport = new Http1Transport(limits, defaultDialing);
  await using proxy = proxyTo(async (connection) => {
    await answer.promise;
    await send(connection, empty);
  }, { transport });
  const served = [await proxy.front.sending(get), await proxy.front.sending(get)];
  await proxy.front.request(1);
  const text = await exchange(proxy.port, get);
  assert.match(text, /^HTTP\/1.1 503 [^]*retry-after: \d[^]*"upstream_busy"/);
  answer.resolve();
  for (const client of served) assert.equal((await client.reply()).status, 200);
});

Deno.test("what asks for something to be done goes on no connection that was idle for long", async () => {
  const limits = { ...defaultLimits, onceIdleMs: 0 };
  await using proxy = proxyTo(always(empty), {
    transport: new Http1Transport(limits, defaultDialing),
  });
  const requests: [start: string, connections: number][] = [
    [`GET / HTTP/1.1\r\n${close}`, 1],
    [`OPTIONS / HTTP/1.1\r\n${close}`, 1],
    [`HEAD / HTTP/1.1\r\n${close}`, 1],
    [`POST / HTTP/1.1\r\n${close}`, 2],
    [`DELETE / HTTP/1.1\r\n${close}`, 3],
    [`PUT / HTTP/1.1\r\n${close}Content-Length: 1\r\n`, 4],
    [`GET / HTTP/1.1\r\n${close}Content-Length: 1\r\n`, 5],
    [`GET / HTTP/1.1\r\n${close}`, 5],
  ];
  for (const [start, connections] of requests) {
    const body = start.includes("Length") ? "x" : "";
    assert.match(await exchange(proxy.port, `${start}\r\n${body}`), /^HTTP\/1.1 200 /);
    assert.equal(proxy.backend.connections, connections, start);
    await pause(2);
  }
});

Deno.test("the time of every call is counted, whatever came of it", async () => {
  for (const answer of [empty, ""]) {
    await using proxy = proxyTo(answer);
    await exchange(proxy.port, get);
    const values = proxy.duration.samples("duration", {});
    assert.equal(values.find(({ metricName }) => metricName.endsWith("_count"))?.value, 1);
  }
});

Deno.test("repeated and unusual header lines reach the client as they came", async () => {
  const lines = "set-cookie: a=1\r\nset-cookie: b=2\r\nx-latin: caf\u00e9\r\nx-empty: \r\n";
  await using proxy = proxyTo(`HTTP/1.1 299 x\r\n${lines}content-length: 0\r\n\r\n`);
  const text = await exchange(proxy.port, `GET / HTTP/1.1\r\nX-Sent: \u00fc\r\n${close}\r\n`);
  assert.match(text, /^HTTP\/1.1 299 /);
  for (const line of lines.split("\r\n")) assert.ok(text.includes(line), line);
  assert.ok(latin1(bytes(proxy.backend.requests[0]!)).includes("\r\nx-sent: \u00fc\r\n"));
});
