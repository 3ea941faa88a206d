/** Connections that a backend kept alive, and closed at the moment of the next request. */
import assert from "node:assert/strict";
import { BytesSource } from "../http1/byte_source.ts";
import { openTransport, outcome, pause, type TransportName } from "./conformance/rig.ts";
import { type Answer, hangUp, rawBackend, readHead, send } from "./raw_sockets.ts";
import type { UpstreamRequest } from "./transport.ts";

const empty = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const x = () => new BytesSource(new Uint8Array([120]));

/** How often the backend sees a request whose connection it closes when it has read it. */
const cut: readonly [name: string, parts: () => Partial<UpstreamRequest>, seen: Seen][] = [
  ["GET", () => ({}), { http1: 2, fetch: 2 }],
  ["HEAD", () => ({ method: "HEAD" }), { http1: 2, fetch: 2 }],
  ["OPTIONS", () => ({ method: "OPTIONS" }), { http1: 2, fetch: 2 }],
  // Idempotent: seen twice it has done no more (RFC 9110, 9.2.2).
  ["PUT", () => ({ method: "PUT" }), { http1: 1, fetch: 2 }],
  ["DELETE", () => ({ method: "DELETE" }), { http1: 1, fetch: 2 }],
  ["POST", () => ({ method: "POST" }), { http1: 1, fetch: 1 }],
  ["PURGE", () => ({ method: "PURGE" }), { http1: 1, fetch: 1 }],
  ["POST with a body", () => ({ method: "POST", body: x() }), { http1: 1, fetch: 1 }],
  ["PUT with a body", () => ({ method: "PUT", body: x() }), { http1: 1, fetch: 1 }],
  ["GET, paid", () => ({ once: true }), { http1: 1, fetch: 1 }],
  ["GET with a body", () => ({ body: x() }), { http1: 1, fetch: 0 }],
];

type Seen = Readonly<Record<TransportName, number>>;

/** Keeps the connection of `/warm`, does something else with what follows on it. */
function afterWarm(answer: Exclude<Answer, string>): Answer {
  return (connection, head) =>
    head.includes("/warm") ? send(connection, empty) : answer(connection, head);
}

for (const name of ["http1", "fetch"] as const) {
  const stale = (title: string, test: (transport: ReturnType<typeof openTransport>) => unknown) =>
    Deno.test(`${name}: a stale connection: ${title}`, async () => {
      const transport = openTransport(name);
      try {
        await test(transport);
      } finally {
        transport.close();
      }
    });

  for (const [title, parts, seen] of cut) {
    stale(`${title} is seen ${seen[name]} times`, async (transport) => {
      await using backend = rawBackend(
        afterWarm((connection) => {
          connection.close();
          return Promise.resolve();
        }),
        { read: readHead },
      );
      await outcome(transport, backend.url, { target: "/warm" });
      const expected = seen[name] === 0
        ? "upstream_unreachable sent:no"
        : "upstream_reset sent:maybe";
      assert.equal(await outcome(transport, backend.url, { target: "/cut", ...parts() }), expected);
      // Also what nobody waits for any more.
      await pause(5);
      assert.equal(backend.requests.filter((head) => head.includes("/cut")).length, seen[name]);
    });
  }

  stale("there may be more of them", async (transport) => {
    // Deno's client goes on with the next of them, and then gives up.
    if (name === "fetch") return;
    const all = Promise.withResolvers<void>();
    await using backend = rawBackend(async (connection, head) => {
      if (head.includes("/warm")) {
        if (backend.requests.length === 3) all.resolve();
        await all.promise;
        await send(connection, empty);
      } else if (backend.connections === 3) connection.close();
      else await send(connection, empty);
    });
    const warm = [1, 2, 3].map(() => outcome(transport, backend.url, { target: "/warm" }));
    assert.deepEqual(await Promise.all(warm), ["200 ", "200 ", "200 "]);
    // What is sent again is not sent on the next one of them.
    assert.equal(await outcome(transport, backend.url), "200 ");
    assert.deepEqual([backend.requests.length, backend.connections], [5, 4]);
  });

  stale("what is sent again gets its reply", async (transport) => {
    await using backend = rawBackend(afterWarm(async (connection) => {
      if (backend.connections === 1) connection.close();
      else await send(connection, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    }));
    await outcome(transport, backend.url, { target: "/warm" });
    assert.equal(await outcome(transport, backend.url), "200 ok");
    assert.deepEqual([backend.requests.length, backend.connections], [3, 2]);
  });

  for (const part of ["H", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 103 x\r\n\r\n"]) {
    stale(`a reply that breaks off after ${JSON.stringify(part)}`, async (transport) => {
      await using backend = rawBackend(afterWarm(async (connection) => {
        await send(connection, part);
        connection.close();
      }));
      await outcome(transport, backend.url, { target: "/warm" });
      assert.equal(await outcome(transport, backend.url), "upstream_reset sent:maybe");
      // Deno's client sends a safe request again all the same.
      assert.equal(backend.requests.length, name === "http1" ? 2 : 3);
    });
  }

  stale(
    "whenever it is closed, no POST is seen twice, and every GET answered",
    async (transport) => {
      await using backend = rawBackend(async (connection) => {
        await send(connection, empty);
        // Sometimes at once, sometimes before the next request, sometimes in the middle of it.
        const turn = backend.requests.length % 4;
        if (turn < 2) setTimeout(() => hangUp(connection), turn);
      });
      for (let i = 0; i < 200; i++) {
        const target = `/${i}-`;
        if (i % 2 === 0) assert.equal(await outcome(transport, backend.url, { target }), "200 ");
        else {
          await outcome(transport, backend.url, { target, method: "POST", body: x() });
          const seen = backend.requests.filter((head) => head.startsWith(`POST ${target}`));
          assert.ok(seen.length <= 1, `${seen.length} times`);
        }
        if (i % 8 === 0) await pause(1);
      }
    },
  );
}
