import assert from "node:assert/strict";
import { Logger } from "../../store/log.ts";
import { SqliteDatabase } from "../../store/ledger/sqlite_database.ts";
import { WorkerPool } from "./worker_pool.ts";

/** An isolate with this program. */
function workerOf(program: string): Worker {
  return new Worker(`data:application/javascript,${encodeURIComponent(program)}`, {
    type: "module",
  });
}

async function withPool(
  programs: string[],
  test: (pool: WorkerPool, log: Record<string, unknown>[]) => Promise<void>,
): Promise<void> {
  const log: Record<string, unknown>[] = [];
  const logger = new Logger("info", (line) => log.push(JSON.parse(line)));
  const database = new SqliteDatabase(":memory:");
  const start = () => workerOf(programs.shift()!);
  const listen = { hostname: "127.0.0.1", port: 1 };
  const pool = new WorkerPool(1, listen, { start, parameters: {} }, database, () => {}, logger);
  await test(pool, log);
  pool.close();
  await database.close();
}

const answering = `onmessage = ({ data }) => {
  if (data.kind === "metrics") postMessage({ kind: "metrics", call: data.call, metrics: [{}] });
  if (data.kind === "drain") postMessage({ kind: "drained", clean: true });
};`;

Deno.test("a worker that fails is told of and replaced", async () => {
  const failing = `onmessage = () => { throw new Error("a fault of ours"); };`;
  await withPool([failing, answering], async (pool, log) => {
    while ((await pool.metrics())[0]!.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const [line] = log;
    assert.equal(line?.msg, "a worker failed");
    assert.match(String(line?.error), /a fault of ours/);
  });
});

/** Says that it has counted so much, once. */
const counting = (count: number) =>
  `onmessage = ({ data }) => {
  if (data.kind !== "metrics") return;
  if (globalThis.asked) return data.call % 2 === 0 ? fail() : undefined;
  globalThis.asked = true;
  const metrics = [{ name: "c", type: "counter", values: [{ labels: {}, value: ${count} }] }];
  postMessage({ kind: "metrics", call: data.call, metrics });
};`;

/** The sum over all that the pool tells. */
async function total(pool: WorkerPool): Promise<number> {
  const metrics = (await pool.metrics()).flat() as { values?: { value: number }[] }[];
  return metrics.flatMap(({ values = [] }) => values).reduce((sum, { value }) => sum + value, 0);
}

Deno.test("counts do not go down while a worker is silent, nor when it has failed", async () => {
  await withPool([counting(5), counting(30)], async (pool) => {
    assert.equal(await total(pool), 5);
    assert.equal(await total(pool), 5, "it says nothing");
    assert.equal(await total(pool), 5, "it fails");
    let sum = await total(pool);
    while (sum === 5) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      sum = await total(pool);
    }
    assert.equal(sum, 5 + 30, "the next one");
  });
});

Deno.test("a worker is not replaced as long as there are no file descriptors for it", async () => {
  const programs = ["throw new Error('no start');", answering];
  const listen = Deno.listen;
  const triedTwice = Promise.withResolvers<void>();
  let tries = 0;
  const none = () => {
    if (++tries === 2) triedTwice.resolve();
    throw new Error("Too many open files (os error 24)");
  };
  Object.assign(Deno, { listen: none });
  try {
    await withPool(programs, async (pool) => {
      await triedTwice.promise;
      assert.equal(programs.length, 1, "nothing was started");
      Object.assign(Deno, { listen });
      while ((await pool.metrics())[0]!.length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    });
  } finally {
    Object.assign(Deno, { listen });
  }
});

Deno.test("a drain ends when the workers say so, or have said nothing for too long", async () => {
  await withPool([answering], async (pool) => assert.equal(await pool.drain(60_000), true));
  await withPool(["onmessage = () => {};"], async (pool) => {
    assert.equal(await pool.drain(1), false);
  });
});
