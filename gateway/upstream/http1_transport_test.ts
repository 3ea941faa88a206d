/** What only the client of our own does: limits, and connections that are never lost. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Abort } from "./abort.ts";
import {
  defaultDialing,
  defaultLimits,
  outcome,
  pause,
  Pieces,
  request,
  silent,
  textOf,
} from "./conformance/rig.ts";
import type { PoolLimits } from "./connection_pool.ts";
import { Http1Transport } from "./http1_transport.ts";
import { always, rawBackend, readHead, readMessage, send } from "./raw_sockets.ts";
import type { UpstreamRequest } from "./transport.ts";

const empty = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

function transportWith(limits: Partial<PoolLimits>, connectMs = 60_000): Http1Transport {
  return new Http1Transport({ ...defaultLimits, ...limits }, { ...defaultDialing, connectMs });
}

Deno.test("each backend has limits of its own; the next request waits for a connection", async () => {
  const answer = Promise.withResolvers<void>();
  const slow = () =>
    rawBackend(async (connection) => {
      await answer.promise;
      await send(connection, empty);
    });
  await using one = slow();
  await using other = slow();
  const transport = transportWith({ maxConnections: 1, maxWaiting: 1 });
  const replies = [one, one, other, other].map(({ url }) => outcome(transport, url));
  await pause(20);
  for (const { url } of [one, other]) {
    assert.equal(await outcome(transport, url), "upstream_busy sent:no");
  }
  answer.resolve();
  assert.deepEqual(await Promise.all(replies), ["200 ", "200 ", "200 ", "200 "]);
  for (const backend of [one, other]) {
    assert.deepEqual([backend.requests.length, backend.connections], [2, 1]);
  }
  transport.close();
});

Deno.test("a request that is sent once goes on a connection that was just in use", async () => {
  for (const [onceIdleMs, connections] of [[60_000, 1], [0, 4]] as const) {
    await using backend = rawBackend(always(empty));
    const transport = transportWith({ onceIdleMs });
    const kinds: Partial<UpstreamRequest>[] = [
      {},
      { once: true },
      { once: true, method: "POST" },
      { once: true, method: "PUT", body: new Pieces(["x"], 1) },
    ];
    for (const parts of kinds) {
      assert.equal(await outcome(transport, backend.url, parts), "200 ");
      await pause(2);
    }
    assert.equal(backend.connections, connections);
    assert.equal(await outcome(transport, backend.url), "200 ");
    assert.equal(backend.connections, connections, "others take any");
    transport.close();
  }
});

Deno.test("an upgrade gets a connection of its own", async () => {
  await using backend = rawBackend(async (connection, head) => {
    await send(connection, head.includes("upgrade") ? "HTTP/1.1 101 x\r\n\r\nhello" : empty);
  });
  const transport = transportWith({});
  await outcome(transport, backend.url);
  const abort = new Abort();
  const headers = [["connection", "upgrade"]] as [string, string][];
  const upgrade = request(backend.url, { headers, once: true, abort });
  const { status, body, upgraded } = await transport.upgrade(upgrade);
  assert.deepEqual([status, body], [101, null]);
  assert.equal(new TextDecoder().decode((await upgraded!.read())!), "hello");
  assert.equal(backend.connections, 2);
  abort.abort("too late");
  await upgraded!.write(new Uint8Array(1));
  upgraded!.close();
  await backend.clientClosed;
  transport.close();
});

Deno.test("a sweep closes what has been idle for too long, and forgets its backend", async () => {
  await using backend = rawBackend(always(empty));
  const original = globalThis.setInterval;
  let sweep = () => {};
  globalThis.setInterval = ((run: () => void) => {
    sweep = run;
    return original(() => {}, 60_000);
  }) as typeof setInterval;
  const transport = transportWith({ idleMs: 20 });
  globalThis.setInterval = original;
  await outcome(transport, backend.url);
  sweep();
  assert.equal(await outcome(transport, backend.url), "200 ");
  assert.equal(backend.connections, 1, "not yet");
  await pause(30);
  sweep();
  await backend.clientClosed;
  assert.equal(await outcome(transport, backend.url), "200 ");
  assert.equal(backend.connections, 2);
  transport.close();
});

const chunk = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n";

/** What a backend can do with a request, by its path. */
const behaviours: Readonly<Record<string, (connection: Deno.Conn) => Promise<unknown>>> = {
  "/answers": (connection) => send(connection, empty),
  "/streams": (connection) => send(connection, `${chunk}0\r\n\r\n`),
  "/closes": async (connection) => await Promise.resolve(connection.close()),
  "/cuts-the-head": (connection) =>
    send(connection, "HTTP/1.1 200 OK\r\n").then(() => connection.close()),
  "/cuts-the-body": (connection) => send(connection, chunk).then(() => connection.close()),
  "/is-no-http": (connection) => send(connection, "HTTP/1.1 200 OK\nx: 1\n\n"),
  "/says-too-much": (connection) => send(connection, empty + empty),
  "/ends-its-half": (connection) => send(connection, empty).then(() => connection.closeWrite()),
  "/stops-in-the-body": (connection) => send(connection, chunk).then(() => readMessage(connection)),
  "/is-silent": (connection) => readMessage(connection),
};

const bodies: Readonly<Record<string, () => Pieces | null>> = {
  none: () => null,
  announced: () => new Pieces(["hel", "lo"], 5),
  chunked: () => new Pieces(["hel", "lo"], undefined),
  tooShort: () => new Pieces(["hel"], 5),
  brokenOff: () => new Pieces(["hel"], undefined, () => Promise.reject(new Error("gone"))),
  endless: () => new Pieces(["hel"], undefined, silent),
};

const call = fc.record({
  target: fc.constantFrom(...Object.keys(behaviours)),
  body: fc.constantFrom(...Object.keys(bodies)),
  once: fc.boolean(),
  /** What the caller does with the reply; `leaves` after so many ms. */
  reader: fc.constantFrom("reads", "cancels", "leaves"),
  leavesMs: fc.nat(8),
  /** Whether the next call is made before this one has ended. */
  overlaps: fc.boolean(),
});
type Call = typeof call extends fc.Arbitrary<infer C> ? C : never;

async function make(transport: Http1Transport, origin: string, call: Call): Promise<void> {
  const { target, once, reader, leavesMs } = call;
  const body = bodies[call.body]!();
  const abort = new Abort();
  // Whoever is silent, or never ends, is given up in any case.
  const timer = setTimeout(() => abort.abort("enough"), reader === "leaves" ? leavesMs : 50);
  try {
    const method = body === null ? "GET" : "POST";
    const reply = await transport.send(request(origin, { target, method, body, once, abort }));
    if (reader === "cancels") reply.body?.cancel("not wanted");
    else if (reply.body !== null) await textOf(reply.body);
  } catch {
    // As expected of many.
  } finally {
    clearTimeout(timer);
    abort.abort("over");
  }
}

Deno.test("whatever goes wrong with requests, no connection is lost and none is too many", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  // deno-lint-ignore no-console -- so that a failure can be repeated
  console.log(`seed ${seed}`);
  const maxConnections = 3;
  const calls = fc.array(call, { maxLength: 25, size: "max" });
  const property = fc.asyncProperty(calls, async (calls) => {
    const { promise: together, resolve } = Promise.withResolvers<void>();
    let here = 0;
    await using backend = rawBackend(async (connection, head) => {
      const path = head.split(" ")[1]!;
      if (path !== "/together") return void await behaviours[path]!(connection);
      assert.ok(++here <= maxConnections);
      // Time for one too many.
      if (here === maxConnections) setTimeout(resolve, 2);
      await together;
      here--;
      await send(connection, empty);
    }, { read: readHead });
    const transport = transportWith({ maxConnections }, 5_000);
    const running: Promise<void>[] = [];
    for (const call of calls) {
      const made = make(transport, backend.url, call);
      running.push(made);
      if (!call.overlaps) await made;
    }
    await Promise.all(running);
    // All places are there: the backend answers when it has as many requests as there are places.
    const target = "/together";
    const replies = Array.from(
      { length: maxConnections + 1 },
      () => outcome(transport, backend.url, { target, once: true }),
    );
    assert.deepEqual(await Promise.all(replies), replies.map(() => "200 "));
    transport.close();
  });
  await fc.assert(property, { seed, numRuns: 40 });
});
