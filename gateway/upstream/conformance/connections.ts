import assert from "node:assert/strict";
import { always, closedPort, rawBackend, readMessage, send } from "../raw_sockets.ts";
import { type Case, outcome, pause, request } from "./rig.ts";

const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/** Two requests after one another: what comes of each, on how many connections. */
const reuse: readonly [method: string, reply: string, outcome: string, connections: 1 | 2][] = [
  ["GET", ok, "200 ok", 1],
  ["GET", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "200 ", 1],
  [
    "GET",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "200 ok",
    1,
  ],
  ["HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", "200 ", 1],
  ["HEAD", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "200 ", 1],
  ["HEAD", "HTTP/1.1 200 OK\r\n\r\n", "200 ", 1],
  ["GET", "HTTP/1.1 204 x\r\n\r\n", "204 ", 1],
  ["GET", "HTTP/1.1 204 x\r\ncontent-length: 0\r\n\r\n", "204 ", 1],
  ["GET", "HTTP/1.1 204 x\r\ncontent-length: 5\r\n\r\n", "204 ", 1],
  ["GET", 'HTTP/1.1 304 x\r\netag: "a"\r\n\r\n', "304 ", 1],
  ["GET", "HTTP/1.1 304 x\r\ncontent-length: 5\r\n\r\n", "304 ", 1],
  ["GET", `HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n${ok.slice(17)}`, "200 ok", 1],
  ["GET", `HTTP/1.0 200 OK\r\n${ok.slice(17)}`, "200 ok", 2],
  ["GET", `HTTP/1.1 200 OK\r\nconnection: Close\r\n${ok.slice(17)}`, "200 ok", 2],
  ["GET", `HTTP/1.1 200 OK\r\nconnection: x, close\r\n${ok.slice(17)}`, "200 ok", 2],
  // A body where there is none would be the next reply.
  ["HEAD", ok, "200 ", 2],
  ["GET", "HTTP/1.1 204 x\r\ncontent-length: 2\r\n\r\nok", "204 ", 2],
  ["GET", "HTTP/1.1 304 x\r\ncontent-length: 2\r\n\r\nok", "304 ", 2],
];

const reuseCases: readonly Case[] = reuse.map(([method, reply, expected, connections]) => ({
  name: `${connections === 1 ? "kept" : "closed"} after ${method} ${JSON.stringify(reply)}`,
  async run(transport) {
    await using backend = rawBackend(always(reply));
    for (let count = 0; count < 2; count++) {
      assert.equal(await outcome(transport, backend.url, { method }), expected);
      // Also for what comes with the reply but not in time.
      await pause(5);
    }
    assert.deepEqual([backend.requests.length, backend.connections], [2, connections]);
  },
}));

/** What a backend does with a connection that it promised to keep, after the first reply. */
const idleEnds: readonly [name: string, end: (connection: Deno.Conn) => Promise<void> | void][] = [
  ["closes it", async (connection) => {
    connection.close();
    // The one case in which the backend cannot see that the gateway has noticed.
    await pause(20);
  }],
  ["ends its half of it", (connection) => connection.closeWrite()],
  ["says that it was too slow", (connection) => send(connection, `HTTP/1.1 408 x\r\n\r\n`)],
  ["sends a reply that nobody asked for", (connection) => send(connection, ok)],
  ["sends an empty line", (connection) => send(connection, "\r\n")],
];

const idleCases: readonly Case[] = idleEnds.map(([name, end]) => ({
  name: `a connection is not used again when its backend ${name} while it is idle`,
  async run(transport) {
    const idle = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    await using backend = rawBackend(async (connection, head) => {
      await send(connection, ok);
      if (!head.startsWith("GET /first")) return;
      await idle.promise;
      await end(connection);
      ended.resolve();
    });
    assert.equal(await outcome(transport, backend.url, { target: "/first" }), "200 ok");
    idle.resolve();
    await ended.promise;
    await backend.clientClosed;
    for (const method of ["POST", "GET", "DELETE"]) {
      assert.equal(await outcome(transport, backend.url, { method }), "200 ok");
    }
    assert.equal(backend.requests.length, 4, "none was sent twice");
  },
}));

export const connectionCases: readonly Case[] = [...reuseCases, ...idleCases, {
  name: "nothing was sent when there was no connection",
  async run(transport, name) {
    const unreachable = "upstream_unreachable sent:no";
    for (const scheme of ["http", "https"]) {
      const origin = `${scheme}://127.0.0.1:${closedPort()}`;
      assert.equal(await outcome(transport, origin), unreachable);
    }
    assert.equal(await outcome(transport, "http://no-such-host.invalid"), unreachable);
    if (name === "fetch") {
      // A port that browsers block: fetch refuses it before it connects.
      assert.equal(await outcome(transport, "http://127.0.0.1:6000"), unreachable);
    }
  },
}, {
  name: "a connection reset before the request was read is not provably unsent",
  async run(transport) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const accepted = listener.accept().then((connection) => connection.close());
    const origin = `http://127.0.0.1:${listener.addr.port}`;
    assert.equal(await outcome(transport, origin), "upstream_reset sent:maybe");
    await accepted;
  },
}, {
  name: "a body that is not wanted any more ends its connection",
  async run(transport) {
    await using backend = rawBackend(async (connection) => {
      await send(connection, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n");
      await readMessage(connection);
    });
    const { body } = await transport.send(request(backend.url));
    assert.equal((await body!.read())!.byteLength, 2);
    const waiting = body!.read().catch(() => null);
    body!.cancel(new Error("not wanted"));
    await backend.clientClosed;
    await waiting;
  },
}, {
  name: "requests at the same time have connections of their own",
  async run(transport) {
    const all = Promise.withResolvers<void>();
    await using backend = rawBackend(async (connection, head) => {
      if (backend.requests.length === 5) all.resolve();
      await all.promise;
      const path = head.split(" ")[1]!;
      await send(connection, `HTTP/1.1 200 OK\r\ncontent-length: ${path.length}\r\n\r\n${path}`);
    });
    const targets = ["/a", "/bb", "/ccc", "/dddd", "/eeeee"];
    const outcomes = targets.map((target) => outcome(transport, backend.url, { target }));
    assert.deepEqual(await Promise.all(outcomes), targets.map((target) => `200 ${target}`));
  },
}];
