/** WebSockets between real ends: what they send each other, and how they end. */
import assert from "node:assert/strict";
import { pause } from "./conformance/rig.ts";
import { rawBackend, readUntil, send } from "./raw_sockets.ts";
import { accepted, handshake, next, socketBackend, webSocketGateway } from "./websocket_rig.ts";

Deno.test("text and binary pass both ways, with the sub-protocol and the given headers", async () => {
  await using backend = socketBackend((socket) =>
    socket.onmessage = ({ data }) => socket.send(data)
  );
  await using front = webSocketGateway(backend.url);
  const client = new WebSocket(`${front.url}/a%2Fb?c`, ["a", "b"]);
  client.binaryType = "arraybuffer";
  await next(client, "open");
  assert.equal(client.protocol, "b");
  for (const sent of ["h\u00e9llo", "", new Uint8Array([0, 255, 1]).buffer, "x".repeat(300_000)]) {
    const echoed = next(client, "message");
    client.send(sent);
    assert.deepEqual((await echoed).data, sent);
  }
  client.close();
  await next(client, "close");
  const [request] = backend.requests;
  assert.ok(request!.url.endsWith("/a%2Fb?c"));
  assert.equal(request!.headers.get("host"), new URL(front.url).host);
  assert.equal(request!.headers.get("x-402-hops"), "1");
  assert.equal(request!.headers.get("sec-websocket-protocol"), "a, b");
});

Deno.test("what the backend says during the settlement is not lost, nor reordered", async () => {
  const said = Promise.withResolvers<void>();
  await using backend = socketBackend((socket) => {
    socket.onopen = () => {
      for (const text of ["1", "2", "3"]) socket.send(text);
      said.resolve();
    };
    socket.onmessage = () => socket.send("4");
  });
  const settle = async () => {
    await said.promise;
    await pause(50);
  };
  await using front = webSocketGateway(backend.url, { settle });
  const client = new WebSocket(front.url, ["b"]);
  const received: string[] = [];
  const all = Promise.withResolvers<void>();
  client.onmessage = ({ data }) => {
    if (received.push(data) === 4) all.resolve();
  };
  client.onopen = () => client.send("go");
  await all.promise;
  assert.deepEqual(received, ["1", "2", "3", "4"]);
  client.close();
  await next(client, "close");
});

Deno.test("a backend that has left during the settlement is heard to its end", async () => {
  const left = Promise.withResolvers<void>();
  await using backend = rawBackend(async (connection) => {
    await send(connection, accepted + "last words");
    connection.close();
    left.resolve();
  });
  await using front = webSocketGateway(backend.url, { settle: () => left.promise });
  const client = await front.front.sending(handshake);
  assert.equal((await client.reply()).status, 101);
  assert.equal(await client.rest(), "last words");
});

Deno.test("a close of either side closes the other, with its code", async (t) => {
  const codes: [code: number | undefined, seen: number][] = [
    [1000, 1000],
    [1001, 1001],
    [1011, 1011],
    [4001, 4001],
    [undefined, 1005],
  ];
  for (const [code, seen] of codes) {
    await t.step(`backend closes with ${code}`, async () => {
      await using backend = socketBackend((socket) => socket.onmessage = () => socket.close(code));
      await using front = webSocketGateway(backend.url);
      const client = new WebSocket(front.url, ["b"]);
      const closed = next(client, "close");
      client.onopen = () => client.send("close");
      assert.equal((await closed).code, seen);
    });
    if (code === 1001 || code === 1011) continue; // not for clients of the API
    await t.step(`client closes with ${code}`, async () => {
      const closed = Promise.withResolvers<number>();
      await using backend = socketBackend((socket) =>
        socket.onclose = (event) => closed.resolve(event.code)
      );
      await using front = webSocketGateway(backend.url);
      const client = new WebSocket(front.url, ["b"]);
      await next(client, "open");
      client.close(code);
      assert.equal(await closed.promise, seen);
      await next(client, "close");
    });
  }
});

Deno.test("frames of every kind pass untouched, and those that came with a handshake", async () => {
  const masked = (text: string) => `\x01\x02\x03\x04${text}`; // as good as any
  const frames = [
    `\x01\x83${masked("hel")}`, // the first fragment of a text
    `\x89\x84${masked("ping")}`, // between fragments
    `\x80\x82${masked("lo")}`,
    `\xc1\x87${masked("\xf2\x48\xcd\xc9\xc9\x07\x00")}`, // compressed
    `\x82\xfe\x01\x00${masked("\0\xff".repeat(128))}`,
    `\x8a\x80${masked("")}`,
    `\x8f\x80${masked("")}`, // an opcode that nobody has defined
    "\xff\0\r\n\r\n", // no frame at all
  ].join("");
  await using backend = rawBackend(async (connection, head) => {
    const text = head.slice(head.indexOf("\r\n\r\n") + 4);
    await send(connection, accepted + frames.slice(0, 10));
    await send(connection, frames.slice(10));
    const more = frames.length - text.length;
    const rest = more === 0 ? "" : await readUntil(connection, (got) => got.length >= more);
    await send(connection, text + rest);
    connection.close();
  });
  for (const early of [0, 7, frames.length]) {
    await using front = webSocketGateway(backend.url);
    const client = await front.front.sending(handshake + frames.slice(0, early));
    const { head } = await client.reply();
    assert.match(head, /\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/);
    assert.match(head, /\r\nconnection: Upgrade\r\nupgrade: websocket\r\n/);
    await client.send(frames.slice(early));
    assert.equal(await client.rest(), frames + frames);
  }
});

Deno.test("who breaks off takes the other connection with it", async () => {
  await using backend = rawBackend(async (connection, head) => {
    await send(connection, accepted);
    if (head.includes("/leave")) return connection.close();
    await readUntil(connection, () => false);
  });
  await using front = webSocketGateway(backend.url);
  const left = await front.front.sending(handshake.replace("/chat", "/leave"));
  assert.equal((await left.reply()).status, 101);
  assert.equal(await left.rest(), "");
  const leaving = await front.front.sending(handshake);
  assert.equal((await leaving.reply()).status, 101);
  leaving.connection.close();
  await backend.clientClosed;
});

/** Writes until the other side has taken nothing for a while; bytes that were taken. */
async function flood(connection: Deno.Conn): Promise<number> {
  const piece = new Uint8Array(64 * 1024);
  let taken = 0;
  for (;;) {
    const written = await Promise.race([connection.write(piece), pause(300)]);
    if (written === undefined) return taken;
    taken += written;
  }
}

Deno.test("who does not read holds the other side back instead of filling the memory", async () => {
  const flooded = Promise.withResolvers<number>();
  await using backend = rawBackend(async (connection, head) => {
    await send(connection, accepted);
    if (head.includes("/flood")) flooded.resolve(await flood(connection));
    await Promise.withResolvers().promise;
  });
  await using front = webSocketGateway(backend.url);
  const clients = [
    await front.front.sending(handshake.replace("/chat", "/flood")),
    await front.front.sending(handshake),
  ];
  // What four sockets hold at most; memory would take all there is.
  const most = 32 * 1024 * 1024;
  assert.ok(await flooded.promise < most, "from the backend");
  await clients[1]!.reply();
  assert.ok(await flood(clients[1]!.connection) < most, "from the client");
});
