import assert from "node:assert/strict";
import { Abort } from "./abort.ts";
import { defaultDialing, defaultLimits, pause } from "./conformance/rig.ts";
import { ConnectionPool, type PoolLimits } from "./connection_pool.ts";
import type { DialSettings } from "./dial.ts";
import { closedPort, type RawBackend, rawBackend, send } from "./raw_sockets.ts";
import { UpstreamConnection } from "./upstream_connection.ts";

function poolTo(
  { url }: Pick<RawBackend, "url">,
  limits: Partial<PoolLimits> = {},
  dialing: Partial<DialSettings> = {},
): ConnectionPool {
  return new ConnectionPool(url, { ...defaultLimits, ...limits }, {
    ...defaultDialing,
    ...dialing,
  });
}

/** Takes connections and says nothing, but for what is asked of it. */
function listener() {
  return rawBackend(async (connection, text) => {
    await send(connection, text);
  });
}

const acquire = (pool: ConnectionPool, fresh = false, abort = new Abort()) =>
  pool.acquire(fresh, abort);

/** A promise, and whether it is still open after everything that was ready has happened. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const none = Symbol();
  const first = await Promise.race([promise.catch(() => {}), pause(20).then(() => none)]);
  return first === none;
}

const busy = { code: "upstream_busy", status: 503, sent: "no" };

Deno.test("no more connections than allowed, no more waiting than allowed", async () => {
  await using backend = listener();
  const pool = poolTo(backend, { maxConnections: 2, maxWaiting: 1 });
  const [first, second] = await Promise.all([acquire(pool), acquire(pool)]);
  const waiting = acquire(pool);
  await assert.rejects(acquire(pool), busy);
  await assert.rejects(acquire(pool, true), busy);
  assert.ok(await isPending(waiting));
  pool.release(first);
  assert.equal(await waiting, first, "who waits gets what comes back");
  first.close();
  second.close();
  assert.ok(pool.isEmpty);
  await pause();
  assert.equal(backend.connections, 2);
});

Deno.test("who waits for too long is told so, and leaves the queue", async () => {
  await using backend = listener();
  const pool = poolTo(backend, { maxConnections: 1, maxWaiting: 1 }, { connectMs: 100 });
  const connection = await acquire(pool);
  for (let count = 0; count < 2; count++) await assert.rejects(acquire(pool), busy);
  connection.close();
  assert.ok(pool.isEmpty);
});

Deno.test("who does not want to wait any more leaves the queue with its reason", async () => {
  await using backend = listener();
  const pool = poolTo(backend, { maxConnections: 1, maxWaiting: 2 });
  const connection = await acquire(pool);
  const abort = new Abort();
  const aborted = acquire(pool, false, abort);
  const waiting = acquire(pool);
  abort.abort("enough");
  await assert.rejects(aborted, (reason) => reason === "enough");
  const already = new Abort();
  already.abort("before");
  await assert.rejects(acquire(pool, false, already), (reason) => reason === "before");
  pool.release(connection);
  assert.equal(await waiting, connection);
  connection.close();
  assert.ok(pool.isEmpty);
});

Deno.test("who came first is served first, whatever it wants", async () => {
  await using backend = listener();
  const pool = poolTo(backend, { maxConnections: 1 });
  const old = await acquire(pool);
  const served: string[] = [];
  const queue = [["a", false], ["b", true], ["c", false], ["d", true], ["e", true]] as const;
  const waiting = queue.map(async ([name, fresh]) => {
    const connection = await acquire(pool, fresh);
    served.push(name);
    return connection;
  });
  pool.release(old);
  assert.equal(await waiting[0], old);
  pool.release(old);
  const second = await waiting[1]!;
  assert.notEqual(second, old, "a fresh one is new");
  pool.release(second);
  assert.equal(await waiting[2], second);
  second.close();
  const fourth = await waiting[3]!;
  fourth.close();
  (await waiting[4]!).close();
  assert.deepEqual(served, ["a", "b", "c", "d", "e"]);
  assert.ok(pool.isEmpty);
});

Deno.test("the last that came back is used first; what is idle for too long is closed", async () => {
  await using backend = listener();
  const pool = poolTo(backend, { idleMs: 1_000 });
  const [old, young] = await Promise.all([acquire(pool), acquire(pool)]);
  pool.release(old);
  const between = performance.now();
  await pause(5);
  pool.release(young);
  pool.closeIdle(between + 1_000);
  await backend.clientClosed;
  assert.equal(await acquire(pool), young);
  assert.equal(pool.takeIdle(false), undefined);
  pool.release(young);
  pool.closeIdle(performance.now() + 1_000);
  assert.ok(pool.isEmpty);
});

Deno.test("of two idle ones the younger goes out first", async () => {
  await using backend = listener();
  const pool = poolTo(backend);
  const [old, young] = await Promise.all([acquire(pool), acquire(pool)]);
  pool.release(old);
  pool.release(young);
  assert.deepEqual([pool.takeIdle(false) === young, pool.takeIdle(false) === old], [true, true]);
  old.close();
  young.close();
});

Deno.test("what is sent once gets only what was in use a moment ago", async () => {
  await using backend = listener();
  const pool = poolTo(backend, { onceIdleMs: 30 });
  const connection = await acquire(pool);
  pool.release(connection);
  assert.equal(pool.takeIdle(true), connection);
  pool.release(connection);
  await pause(40);
  assert.equal(pool.takeIdle(true), undefined);
  assert.notEqual(await acquire(pool, true), connection);
  assert.equal(pool.takeIdle(false), connection);
  pool.close();
});

Deno.test("no more idle connections than allowed", async () => {
  await using backend = listener();
  const pool = poolTo(backend, { maxIdle: 1 });
  const [first, second] = await Promise.all([acquire(pool), acquire(pool)]);
  pool.release(first);
  pool.release(second);
  await backend.clientClosed;
  assert.equal(pool.takeIdle(false), first);
  assert.equal(pool.takeIdle(false), undefined);
  first.close();
  assert.ok(pool.isEmpty);
});

Deno.test("an idle connection makes way for a new one", async () => {
  await using backend = listener();
  const pool = poolTo(backend, { maxConnections: 2, maxWaiting: 0 });
  const [first, second] = await Promise.all([acquire(pool), acquire(pool)]);
  pool.release(first);
  const fresh = await acquire(pool, true);
  await backend.clientClosed;
  await assert.rejects(acquire(pool), busy);
  second.close();
  fresh.close();
  assert.ok(pool.isEmpty);
});

Deno.test("an idle connection that has ended makes no way: it has no place any more", async () => {
  await using backend = rawBackend((connection) => Promise.resolve(connection.close()));
  const pool = poolTo(backend, { maxConnections: 1, maxWaiting: 0 });
  const connection = await acquire(pool);
  pool.release(connection);
  await connection.write(new TextEncoder().encode("\r\n\r\n"));
  while (!pool.isEmpty) await pause(1);
  const next = await acquire(pool, true);
  await assert.rejects(acquire(pool, true), busy);
  next.close();
});

Deno.test("close ends what is idle, and what comes back later", async () => {
  await using backend = listener();
  const pool = poolTo(backend);
  const [idle, used] = await Promise.all([acquire(pool), acquire(pool)]);
  pool.release(idle);
  pool.close();
  await backend.clientClosed;
  pool.release(used);
  assert.ok(pool.isEmpty);
});

Deno.test("dialing that fails gives its place back", async () => {
  const pool = poolTo({ url: `http://127.0.0.1:${closedPort()}` }, { maxConnections: 2 });
  const dials = Array.from({ length: 20 }, (_, i) => acquire(pool, i % 2 === 0));
  for (const { status, reason } of await Promise.allSettled(dials) as PromiseRejectedResult[]) {
    assert.deepEqual([status, reason.code, reason.sent], [
      "rejected",
      "upstream_unreachable",
      "no",
    ]);
  }
  await pause();
  assert.ok(pool.isEmpty);
});

Deno.test("dialing that is given up gives its place back", async () => {
  await using backend = listener();
  const pool = poolTo(backend, { maxConnections: 1, maxWaiting: 0 });
  for (let count = 0; count < 3; count++) {
    const abort = new Abort();
    const dialing = acquire(pool, true, abort);
    abort.abort("enough");
    await assert.rejects(dialing, (reason) => reason === "enough");
    await pause(5);
  }
  (await acquire(pool)).close();
  assert.ok(pool.isEmpty);
});

Deno.test("what came in this very turn makes an idle connection unusable", async () => {
  // Between the end of a read and those who are told of it are some turns of the microtask queue.
  for (const ending of ["bytes", "end", "error"]) {
    for (let turns = 1; turns < 8; turns++) {
      const read = Promise.withResolvers<number | null>();
      const fake = { read: () => read.promise, close() {}, write: () => Promise.resolve(0) };
      const pool = poolTo({ url: "http://h" });
      pool.release(new UpstreamConnection(fake as unknown as Deno.Conn, () => {}));
      if (ending === "error") read.reject(new Error("reset"));
      else read.resolve(ending === "bytes" ? 9 : null);
      for (let turn = 0; turn < turns; turn++) await null;
      assert.equal(pool.takeIdle(false), undefined, `${ending} after ${turns} turns`);
    }
  }
});
