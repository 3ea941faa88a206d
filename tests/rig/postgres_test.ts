import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
// @ts-types="@types/pg"
import pg from "pg";
import { firstLineOf } from "../cluster/lines_of.ts";
import { databaseUrl } from "./postgres_admin.ts";
import { poolerTest, postgresServerTest, postgresTest } from "./test_postgres.ts";

/** A pool whose connections may die. */
function poolOn(url: string, options: pg.PoolConfig = {}): pg.Pool & AsyncDisposable {
  const pool = new pg.Pool({ connectionString: url, ...options });
  pool.on("error", () => {});
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.end() });
}

async function backendOf(pool: pg.Pool): Promise<number> {
  return (await pool.query("SELECT pg_backend_pid() AS pid")).rows[0].pid;
}

async function dataFolder(port: number): Promise<string> {
  await using pool = poolOn(databaseUrl(port, "postgres"));
  return (await pool.query("SHOW data_directory")).rows[0].data_directory;
}

async function isListening(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ port })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

for (const way of ["kill", "stop"] as const) {
  postgresServerTest(`after ${way} and restart, PostgreSQL has its data`, async (server) => {
    await using pool = poolOn(await server.createDatabase());
    await pool.query("CREATE TABLE kept AS SELECT 402 AS value");
    await server[way]();
    assert.equal(await isListening(server.port), false);
    await assert.rejects(pool.query("SELECT 1"));
    await server.restart();
    assert.deepEqual((await pool.query("SELECT value FROM kept")).rows, [{ value: 402 }]);
  });
}

postgresServerTest("kill reaches a connection's process that is stopped", async (server) => {
  await using pool = poolOn(await server.createDatabase());
  const pid = await backendOf(pool);
  Deno.kill(pid, "SIGSTOP");
  await Promise.all([
    assert.rejects(pool.query("SELECT 1"), /terminated|ECONNRESET/),
    server.kill(),
  ]);
  await server.restart();
  assert.notEqual(await backendOf(pool), pid);
});

postgresServerTest("a suspended server answers nothing until it is resumed", async (server) => {
  await using pool = poolOn(await server.createDatabase(), { query_timeout: 100 });
  await pool.query("SELECT 1");
  await server.suspend();
  await assert.rejects(pool.query("SELECT 1"), /timeout/);
  assert.equal(await isListening(server.port), true);
  server.resume();
  assert.equal((await pool.query("SELECT 1 AS one")).rows[0].one, 1);
});

let earlier: string | undefined;

postgresTest("every test has databases of its own", async (postgres) => {
  const urls = await Promise.all([postgres.createDatabase(), postgres.createDatabase()]);
  assert.notEqual(urls[0], urls[1]);
  await Promise.all(urls.map(async (url) => {
    await using pool = poolOn(url);
    await pool.query("CREATE TABLE mine (id INTEGER)");
  }));
  earlier = urls[0];
});

postgresTest("the databases of an earlier test are gone", async () => {
  await using pool = poolOn(earlier!);
  await assert.rejects(pool.query("SELECT 1"), { code: "3D000" });
});

poolerTest("clients of pgbouncer share few connections", async (postgres, pooler) => {
  await using pool = poolOn(pooler.through(await postgres.createDatabase()), { max: 12 });
  const backends = await Promise.all(Array.from({ length: 48 }, () => backendOf(pool)));
  assert.equal(pool.totalCount, 12);
  assert.ok(new Set(backends).size <= 3, `${backends}`);
});

poolerTest("transactions of one client run on several connections", async (postgres, pooler) => {
  await using pool = poolOn(pooler.through(await postgres.createDatabase()), { max: 2 });
  const [one, other] = [await pool.connect(), await pool.connect()];
  const backend = async () => (await one.query("SELECT pg_backend_pid() AS pid")).rows[0].pid;
  const first = await backend();
  await other.query("BEGIN");
  await other.query("SELECT 1");
  assert.notEqual(await backend(), first);
  await other.query("ROLLBACK");
  one.release();
  other.release();
});

postgresTest("the shared server ends when the test run is killed", async () => {
  const run = new Deno.Command("sleep", { args: ["60"] }).spawn();
  const args = ["run", "-A", fileURLToPath(new URL("keep_postgres.ts", import.meta.url))];
  const command = new Deno.Command(Deno.execPath(), {
    args: [...args, String(run.pid)],
    stdout: "piped",
  });
  const keeping = command.spawn();
  const port = Number(await firstLineOf(keeping.stdout));
  const folder = await dataFolder(port);
  run.kill("SIGKILL");
  await run.status;
  assert.equal((await keeping.status).code, 0);
  assert.equal(await isListening(port), false);
  await assert.rejects(Deno.stat(folder), Deno.errors.NotFound);
});
