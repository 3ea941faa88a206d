import assert from "node:assert/strict";
import { pause } from "./conformance/rig.ts";
import { closedPort, rawBackend, readMessage, send } from "./raw_sockets.ts";
import { accepted, handshake, keyLine, webSocketGateway } from "./websocket_rig.ts";

Deno.test("a refusal of the backend passes to the client as it is", async () => {
  const refusals: [reply: string, status: number, body: string][] = [
    ["HTTP/1.1 403 x\r\nx-why: because\r\ncontent-length: 2\r\n\r\nno", 403, "no"],
    ["HTTP/1.1 401 x\r\nwww-authenticate: Basic\r\ncontent-length: 0\r\n\r\n", 401, ""],
    ["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, "ok"],
    ["HTTP/1.1 426 x\r\nupgrade: websocket\r\n\r\nto the end", 426, "to the end"],
  ];
  for (const [reply, status, body] of refusals) {
    await using backend = rawBackend(reply);
    await using front = webSocketGateway(backend.url);
    const client = await front.front.connect();
    for (let count = 1; count <= 2; count++) {
      await client.send(handshake);
      const got = await client.reply();
      assert.deepEqual([got.status, got.body], [status, body], "also on the same connection again");
      if (status === 403) assert.match(got.head, /\r\nx-why: because\r\n/);
      assert.equal(backend.requests.length, count);
    }
  }
});

Deno.test("a handshake that leads to nothing is a failure", async (t) => {
  const cases: [name: string, reply: string, status: number, code: string][] = [
    ["not HTTP", "zzz\r\n\r\n", 502, "upstream_invalid"],
    ["closed", "", 502, "upstream_reset"],
    ["closed in the head", "HTTP/1.1 101 x\r\nupgrade: web", 502, "upstream_reset"],
    ["another protocol", accepted.replace("websocket", "h2c"), 502, "upstream_invalid"],
    ["no protocol", "HTTP/1.1 101 x\r\n\r\n", 502, "upstream_invalid"],
    [
      "refusal with two lengths",
      `HTTP/1.1 403 x\r\n${"content-length: 0\r\n".repeat(2)}\r\n`,
      502,
      "upstream_invalid",
    ],
  ];
  for (const [name, reply, status, code] of cases) {
    await t.step(name, async () => {
      await using backend = rawBackend(async (connection) => {
        await send(connection, reply);
        if (/closed/.test(name)) connection.close();
        else await readMessage(connection);
      });
      await using front = webSocketGateway(backend.url);
      const got = await (await front.front.sending(handshake)).reply();
      assert.equal(got.status, status);
      assert.ok(got.body.includes(`"error":"${code}"`), got.body);
      await backend.clientClosed;
      assert.equal(backend.requests.length, 1, "it is not asked again");
    });
  }
  await t.step("silent", async () => {
    await using backend = rawBackend(async (connection) => void await readMessage(connection));
    await using front = webSocketGateway(backend.url, { limits: { connectOrHeadMs: 60 } });
    const got = await (await front.front.sending(handshake)).reply();
    assert.equal(got.status, 504);
    await backend.clientClosed;
  });
  await t.step("nobody there", async () => {
    await using front = webSocketGateway(`http://127.0.0.1:${closedPort()}`);
    const got = await (await front.front.sending(handshake)).reply();
    assert.equal(got.status, 502);
    assert.ok(got.body.includes(`"error":"upstream_unreachable"`), got.body);
  });
});

Deno.test("a handshake that is none is refused before the backend is asked", async () => {
  await using backend = rawBackend(accepted);
  await using front = webSocketGateway(backend.url);
  const broken = [
    handshake.replace("keep-alive, Upgrade", "keep-alive"),
    handshake.replace(/Connection:.*\r\n/, ""),
    handshake.replace("Version: 13", "Version: 8"),
    handshake.replace(/Sec-WebSocket-Version:.*\r\n/, ""),
    handshake.replace(keyLine, ""),
    handshake.replace("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ"),
    handshake.replace("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ="),
    handshake.replace(keyLine, keyLine + keyLine),
    handshake.replace(keyLine, `${keyLine}Sec-WebSocket-Protocol: a, a\r\n`),
    handshake.replace(keyLine, `${keyLine}Sec-WebSocket-Protocol: a b\r\n`),
    handshake.replace(keyLine, `${keyLine}Sec-WebSocket-Protocol: \r\n`),
    handshake.replace(keyLine, `${keyLine}Content-Length: 1\r\n`) + "x",
    handshake.replace(keyLine, `${keyLine}Transfer-Encoding: chunked\r\n`) + "0\r\n\r\n",
  ];
  for (const text of broken) {
    const got = await (await front.front.sending(text)).reply();
    assert.equal(got.status, 400, text);
    assert.ok(got.body.includes('"error":"invalid_upgrade"'), text);
  }
  assert.equal(backend.requests.length, 0);
});

Deno.test("what the backend is asked: the client's handshake, on this connection", async () => {
  await using backend = rawBackend(accepted);
  const headers = [["host", "api.test"], ["x-402-payer", "0x1"], [
    "sec-websocket-key",
    "k",
  ]] as const;
  const call = { headers: headers.map(([...line]) => line) };
  await using front = webSocketGateway(backend.url, { call });
  await (await front.front.sending(handshake)).reply();
  assert.equal(
    backend.requests[0],
    "GET /chat HTTP/1.1\r\nhost: api.test\r\nx-402-payer: 0x1\r\nsec-websocket-key: k\r\n" +
      "connection: Upgrade\r\nupgrade: websocket\r\n\r\n",
  );
});

Deno.test("a client that leaves before the backend answers: only what is paid goes on", async () => {
  for (const paid of [false, true]) {
    const left = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<boolean>();
    await using backend = rawBackend(async (connection) => {
      const ended = readMessage(connection).then(() => true);
      await left.promise;
      const early = await Promise.race([ended, pause(100).then(() => false)]);
      answered.resolve(!early);
      if (early) return;
      await send(connection, accepted);
      await ended;
    });
    await using front = webSocketGateway(backend.url, { call: { paid } });
    const client = await front.front.sending(handshake);
    while (backend.requests.length === 0) await pause(1);
    client.connection.close();
    left.resolve();
    assert.equal(await answered.promise, paid);
    // In both cases nothing is left open.
    await backend.clientClosed;
  }
});
