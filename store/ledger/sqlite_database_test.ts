import assert from "node:assert/strict";
import { withLedgerFile as inFolder } from "../../tests/support/ledger_file.ts";
import { DatabaseSync } from "node:sqlite";
import { LedgerUnavailable } from "./sql_database.ts";
import { SqliteDatabase } from "./sqlite_database.ts";

Deno.test("while another process writes, statements wait and the event loop goes on", () =>
  inFolder(async (path) => {
    const database = new SqliteDatabase(path);
    await database.query("CREATE TABLE t (x INTEGER)");
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const writes = Promise.all([1, 2].map((x) => database.query("INSERT INTO t VALUES (?)", [x])));
    const alone = database.query("INSERT INTO t VALUES (3)");
    const start = performance.now();
    // Timers go off in between; SQLite's own way to wait would not let them.
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.ok(performance.now() - start < 1_000);
    other.exec("COMMIT");
    other.close();
    await Promise.all([writes, alone]);
    const [row] = await database.query("SELECT count(*) AS n FROM t");
    assert.equal(row!.n, 3);
    await database.close();
  }));

Deno.test("a file that stays locked is an outage after two seconds, not for ever", () =>
  inFolder(async (path) => {
    const database = new SqliteDatabase(path);
    await database.query("CREATE TABLE t (x INTEGER)");
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    await assert.rejects(database.query("INSERT INTO t VALUES (1)"), LedgerUnavailable);
    other.close();
    await database.query("INSERT INTO t VALUES (2)");
    await database.close();
  }));

Deno.test("a statement that fails takes those beside it not down", async () => {
  const database = new SqliteDatabase(":memory:");
  await database.query("CREATE TABLE t (x INTEGER PRIMARY KEY)");
  const results = await Promise.allSettled(
    [1, 1, 2].map((x) => database.query("INSERT INTO t VALUES (?)", [x])),
  );
  assert.deepEqual(results.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
  await database.close();
  await assert.rejects(database.query("SELECT 1"), LedgerUnavailable);
});

for (const sync of ["normal", "full"] as const) {
  Deno.test(`${sync}: what was asked for is committed before the database closes`, () =>
    inFolder(async (path) => {
      const database = new SqliteDatabase(path, sync);
      await database.query("CREATE TABLE t (x INTEGER)");
      const write = database.query("INSERT INTO t VALUES (1)");
      await database.close();
      await write;
      const again = new SqliteDatabase(path);
      assert.equal((await again.query("SELECT x FROM t")).length, 1);
      await again.close();
    }));
}
