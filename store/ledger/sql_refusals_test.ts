/** What a database refuses is told from what it is in no state to do. */
import assert from "node:assert/strict";
import { postgresTest } from "../../tests/rig/test_postgres.ts";
import { PostgresDatabase } from "./postgres_database.ts";
import { LedgerRefused, LedgerUnavailable, type SqlDatabase } from "./sql_database.ts";
import { SqliteDatabase } from "./sqlite_database.ts";

const refused: readonly [name: string, sql: string][] = [
  ["a key that is there", "INSERT INTO t VALUES (1, 'x')"],
  ["nothing where something has to be", "INSERT INTO t VALUES (2, NULL)"],
  ["a table that is not there", "SELECT * FROM nowhere"],
  ["a column that is not there", "SELECT y FROM t"],
  ["no SQL", "SELEC 1"],
];

async function assertRefuses(database: SqlDatabase): Promise<void> {
  await database.query("CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT NOT NULL)");
  await database.query("INSERT INTO t VALUES (1, 'first')");
  for (const [name, sql] of refused) {
    // Alone, and with another in one commit.
    await assert.rejects(database.query(sql), LedgerRefused, name);
    const [bad, good] = await Promise.allSettled([
      database.query(sql),
      database.query("SELECT x FROM t"),
    ]);
    assert.ok(bad.status === "rejected" && bad.reason instanceof LedgerRefused, name);
    assert.deepEqual(good.status === "fulfilled" && [...good.value].map(({ x }) => x), ["first"]);
    await assert.rejects(database.exclusively(async (run) => void await run(sql)), name);
  }
}

Deno.test("SQLite: what is refused is no outage", async () => {
  const database = new SqliteDatabase(":memory:");
  await assertRefuses(database);
  await database.close();
});

postgresTest(
  "PostgreSQL: what is refused is no outage, and a server's state no refusal",
  async (postgres) => {
    const database = new PostgresDatabase(await postgres.createDatabase());
    await assertRefuses(database);
    await assert.rejects(database.query("SELECT ?::numeric", ["much"]), LedgerRefused);
    await assert.rejects(
      database.exclusively(async (run) => void await run("SELEC 1")),
      LedgerRefused,
    );
    for (const code of ["40001", "53300", "57P01", "08006", "25006", "XX000"]) {
      const raise = `DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '${code}'; END $$`;
      await assert.rejects(database.query(raise), LedgerUnavailable, code);
    }
    await database.close();
    const away = new PostgresDatabase("postgres://postgres@127.0.0.1:1/x");
    await assert.rejects(away.query("SELECT 1"), LedgerUnavailable);
    await assert.rejects(away.exclusively(async () => {}), LedgerUnavailable);
    await away.close();
  },
);
