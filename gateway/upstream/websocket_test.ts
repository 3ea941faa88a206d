import assert from "node:assert/strict";
import { rawBackend } from "./raw_sockets.ts";
import { UpstreamFailure } from "./transport.ts";
import { isWebSocketUpgrade, WebSocketProxy } from "./websocket.ts";

type OnSocket = (socket: WebSocket) => void;

/** A WebSocket backend; speaks sub-protocol "b". */
function socketBackend(onSocket: OnSocket) {
  const requests: { url: string; headers: Headers }[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    requests.push({ url: request.url, headers: new Headers(request.headers) });
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.binaryType = "arraybuffer";
    response.headers.set("sec-websocket-protocol", "b");
    onSocket(socket);
    return response;
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  return { url, requests, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** A gateway that bridges to the backend after `settle`, as a paid handshake does. */
function gateway(backendUrl: string, settle: () => Promise<void> = () => Promise.resolve()) {
  const sockets = new WebSocketProxy();
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    assert.ok(isWebSocketUpgrade(request));
    const backend = await sockets.open({
      url: `${backendUrl}/a%2Fb?c`,
      headers: [["host", "api.example.com"], ["x-402-payer", "0x1"], ["sec-websocket-key", "x"]],
      protocols: request.headers.get("sec-websocket-protocol"),
      connectMs: 5000,
    });
    await settle();
    return backend.bridge(request);
  });
  return {
    url: `ws://127.0.0.1:${server.addr.port}/`,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      sockets.close();
    },
  };
}

/** Resolves with the next event of that name. */
function next<Name extends "open" | "message" | "close">(socket: WebSocket, name: Name) {
  const { promise, resolve } = Promise.withResolvers<WebSocketEventMap[Name]>();
  socket.addEventListener(name, resolve as (event: Event) => void, { once: true });
  return promise;
}

Deno.test("text and binary pass both ways, with the sub-protocol and the given headers", async () => {
  await using backend = socketBackend((socket) =>
    socket.onmessage = ({ data }) => socket.send(data)
  );
  await using front = gateway(backend.url);
  const client = new WebSocket(front.url, ["a", "b"]);
  client.binaryType = "arraybuffer";
  await next(client, "open");
  assert.equal(client.protocol, "b");
  for (const sent of ["h\u00e9llo", "", new Uint8Array([0, 255, 1]).buffer]) {
    const echoed = next(client, "message");
    client.send(sent);
    assert.deepEqual((await echoed).data, sent);
  }
  client.close();
  await next(client, "close");
  const [request] = backend.requests;
  assert.ok(request?.url.endsWith("/a%2Fb?c"));
  assert.equal(request?.headers.get("host"), "api.example.com");
  assert.equal(request?.headers.get("x-402-payer"), "0x1");
  assert.equal(request?.headers.get("sec-websocket-protocol"), "a, b");
});

Deno.test("what the backend says during the settlement is not lost, nor reordered", async () => {
  const settled = Promise.withResolvers<void>();
  await using backend = socketBackend((socket) => {
    socket.onopen = () => {
      for (const text of ["1", "2", "3"]) socket.send(text);
      settled.resolve();
    };
    socket.onmessage = () => socket.send("4");
  });
  await using front = gateway(backend.url, async () => {
    await settled.promise;
    await new Promise((done) => setTimeout(done, 50));
  });
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

Deno.test("a close of either side closes the other, with its code where that can be sent", async (t) => {
  const fromBackend: [code: number | undefined, seen: number][] = [
    [1000, 1000],
    [1001, 1001],
    [1011, 1011],
    [4001, 4001],
    [undefined, 1005],
  ];
  for (const [code, seen] of fromBackend) {
    await t.step(`backend closes with ${code}`, async () => {
      await using backend = socketBackend((socket) => socket.onmessage = () => socket.close(code));
      await using front = gateway(backend.url);
      const client = new WebSocket(front.url, ["b"]);
      const closed = next(client, "close");
      client.onopen = () => client.send("close");
      assert.equal((await closed).code, seen);
    });
  }
  for (const [code, seen] of [[1000, 1000], [4001, 4001], [undefined, 1005]] as const) {
    await t.step(`client closes with ${code}`, async () => {
      const closed = Promise.withResolvers<number>();
      await using backend = socketBackend((socket) =>
        socket.onclose = (e) => closed.resolve(e.code)
      );
      await using front = gateway(backend.url);
      const client = new WebSocket(front.url, ["b"]);
      await next(client, "open");
      client.close(code);
      assert.equal(await closed.promise, seen);
    });
  }
});

Deno.test("a client that breaks off takes the backend connection with it", async () => {
  const closed = Promise.withResolvers<void>();
  await using backend = socketBackend((socket) => socket.onclose = () => closed.resolve());
  await using front = gateway(backend.url);
  const { hostname, port } = new URL(front.url);
  const client = await Deno.connect({ hostname, port: Number(port) });
  const handshake = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  await client.write(new TextEncoder().encode(handshake));
  await client.read(new Uint8Array(1000));
  client.close();
  await closed.promise;
});

Deno.test("a side that does not read is cut off instead of filling the memory", async () => {
  const closed = Promise.withResolvers<number>();
  await using backend = socketBackend((socket) => {
    const block = new Uint8Array(1024 * 1024);
    let flood: ReturnType<typeof setInterval>;
    socket.onopen = () => flood = setInterval(() => socket.send(block), 1);
    socket.onclose = (event) => {
      clearInterval(flood);
      closed.resolve(event.code);
    };
  });
  await using front = gateway(backend.url);
  const { hostname, port } = new URL(front.url);
  using client = await Deno.connect({ hostname, port: Number(port) });
  const handshake = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  await client.write(new TextEncoder().encode(handshake));
  await closed.promise;
});

Deno.test("a handshake that the backend does not accept is a failure", async (t) => {
  const cases: [name: string, reply: string, code: string][] = [
    ["refused with 403", "HTTP/1.1 403 x\r\ncontent-length: 0\r\n\r\n", "upstream_invalid"],
    ["not an upgrade", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "upstream_invalid"],
    ["not HTTP", "zzz\r\n\r\n", "upstream_invalid"],
    ["closed", "", "upstream_reset"],
  ];
  for (const [name, reply, code] of cases) {
    await t.step(name, async () => {
      await using backend = rawBackend(reply);
      await assertFails(backend.url, code, "maybe");
      assert.equal(backend.requests.length, 1);
    });
  }
  await t.step("silent", async () => {
    await using backend = rawBackend(async (connection) => {
      await connection.read(new Uint8Array(1));
    });
    await assertFails(backend.url, "upstream_timeout", "maybe");
  });
  await t.step("nobody there", async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    await assertFails(`http://127.0.0.1:${port}`, "upstream_unreachable", "no");
  });
});

async function assertFails(url: string, code: string, sent: "no" | "maybe"): Promise<void> {
  const sockets = new WebSocketProxy();
  try {
    await assert.rejects(
      sockets.open({ url, headers: [], protocols: null, connectMs: 100 }),
      (error) => error instanceof UpstreamFailure && error.code === code && error.sent === sent,
    );
  } finally {
    sockets.close();
  }
}
