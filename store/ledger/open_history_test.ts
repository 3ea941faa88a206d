import assert from "node:assert/strict";
import { join } from "node:path";
import { migrate } from "./migrations.ts";
import { openHistory } from "./open_history.ts";
import { SqliteDatabase } from "./sqlite_database.ts";
import { SqliteReader } from "./sqlite_reader.ts";

/** A ledger that a gateway has made and closed. */
async function withClosedLedger(work: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "history-" });
  const path = join(folder, "ledger.db");
  const database = new SqliteDatabase(path);
  await migrate(database);
  await database.close();
  await work(path);
  await Deno.remove(folder, { recursive: true });
}

Deno.test("a reader of SQLite cannot write", async () => {
  await withClosedLedger(async (path) => {
    const reader = new SqliteReader(path);
    await assert.rejects(reader.query("DELETE FROM ledger_schema"), {
      name: "LedgerUnavailable",
      message: /attempt to write a readonly database/,
    });
    await reader.close();
    assert.throws(() => new SqliteReader(`${path}.missing`), { name: "LedgerUnavailable" });
    await assert.rejects(Deno.stat(`${path}.missing`), Deno.errors.NotFound);
  });
});

Deno.test("where the files of the write-ahead log cannot be made, that is said", async () => {
  await withClosedLedger(async (path) => {
    await Deno.mkdir(`${path}-wal`);
    await assert.rejects(openHistory(path), {
      name: "LedgerUnavailable",
      message: /: unable to open database file; where no gateway has it open, its folder has to be/,
    });
  });
});
