/** Whatever happens to a pool, in any order: its limits hold, and no place is lost. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Abort } from "./abort.ts";
import { pause } from "./conformance/rig.ts";
import { ConnectionPool } from "./connection_pool.ts";
import { closedPort, rawBackend } from "./raw_sockets.ts";
import { UpstreamFailure } from "./transport.ts";
import type { UpstreamConnection } from "./upstream_connection.ts";

const limits = { maxConnections: 3, maxWaiting: 4, maxIdle: 2, idleMs: 60_000, onceIdleMs: 60_000 };
const dialing = { connectMs: 60_000, caCerts: [] };

const step = fc.tuple(
  fc.constantFrom(
    ...["acquire", "acquire", "acquire fresh", "acquire fresh", "take idle", "release"] as const,
    ...["release", "close", "abort", "close idle", "turn", "turn"] as const,
  ),
  fc.nat(100),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Those who use a pool. */
class Users {
  readonly held = new Set<UpstreamConnection>();
  readonly #waiting = new Map<Abort, Promise<void>>();

  constructor(private readonly pool: ConnectionPool) {}

  acquire(fresh: boolean): void {
    const abort = new Abort();
    const acquiring = this.pool.acquire(fresh, abort)
      .then((connection) => {
        assert.ok(!fresh || connection.uses === 0, "a fresh one is new");
        this.hold(connection);
      }, (error) => {
        const isExpected = error === "enough" ||
          error instanceof UpstreamFailure && /busy|unreachable/.test(error.code);
        if (!isExpected) throw error;
      }).finally(() => this.#waiting.delete(abort));
    this.#waiting.set(abort, acquiring);
  }

  hold(connection: UpstreamConnection): void {
    assert.ok(!this.held.has(connection), "given out twice");
    this.held.add(connection);
    assert.ok(this.held.size <= limits.maxConnections, `${this.held.size} connections`);
  }

  /** Takes a connection from whoever has it. */
  take(which: number): UpstreamConnection | undefined {
    const connection = [...this.held][which % this.held.size];
    if (connection !== undefined) this.held.delete(connection);
    return connection;
  }

  abort(which: number): void {
    [...this.#waiting.keys()][which % this.#waiting.size]?.abort("enough");
  }

  async run([what, which]: Step): Promise<void> {
    switch (what) {
      case "acquire":
      case "acquire fresh":
        return this.acquire(what === "acquire fresh");
      case "take idle": {
        const idle = this.pool.takeIdle(which % 2 === 0);
        return idle && this.hold(idle);
      }
      case "release": {
        const connection = this.take(which);
        if (connection === undefined) return;
        connection.uses++;
        return this.pool.release(connection);
      }
      case "close":
        return this.take(which)?.close();
      case "abort":
        return this.abort(which);
      case "close idle":
        return this.pool.closeIdle(which % 2 === 0 ? Infinity : 0);
      case "turn":
        return await pause();
    }
  }

  /** Until nobody has or wants anything. */
  async leave(): Promise<void> {
    for (const abort of this.#waiting.keys()) abort.abort("enough");
    await Promise.all(this.#waiting.values());
    for (const connection of this.held) connection.close();
    this.held.clear();
    this.pool.closeIdle(Infinity);
  }
}

async function holds(origin: string, steps: readonly Step[]): Promise<ConnectionPool> {
  const pool = new ConnectionPool(origin, limits, dialing);
  const users = new Users(pool);
  for (const step of steps) await users.run(step);
  await users.leave();
  // What was given up while it was opened.
  for (let turns = 0; !pool.isEmpty && turns < 1_000; turns++) await pause(1);
  assert.ok(pool.isEmpty, "a place was lost");
  return pool;
}

async function check(runs: number, property: (steps: readonly Step[]) => Promise<void>) {
  const seed = Math.floor(Math.random() * 2 ** 31);
  // deno-lint-ignore no-console -- so that a failure can be repeated
  console.log(`seed ${seed}`);
  const steps = fc.array(step, { maxLength: 60, size: "max" });
  await fc.assert(fc.asyncProperty(steps, property), { seed, numRuns: runs });
}

Deno.test("a pool: any order of events", async () => {
  await using backend = rawBackend(() => Promise.resolve());
  await check(100, async (steps) => {
    const pool = await holds(backend.url, steps);
    // There are as many places as at the start, and no more.
    const { maxConnections, maxWaiting } = limits;
    const users = new Users(pool);
    for (let count = 0; count < maxConnections + maxWaiting; count++) users.acquire(true);
    await assert.rejects(pool.acquire(false, new Abort()), { code: "upstream_busy" });
    while (users.held.size < maxConnections) await pause(1);
    await users.leave();
  });
});

Deno.test("a pool: any order of events while nobody listens", async () => {
  const origin = `http://127.0.0.1:${closedPort()}`;
  await check(50, async (steps) => void await holds(origin, steps));
});
