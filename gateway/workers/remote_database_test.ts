import assert from "node:assert/strict";
import { LedgerRefused, LedgerUnavailable } from "../../store/ledger/sql_database.ts";
import { SqliteDatabase } from "../../store/ledger/sqlite_database.ts";
import { DatabaseOwner } from "./database_owner.ts";
import type { StatementCall } from "./messages.ts";
import { RemoteDatabase } from "./remote_database.ts";

/** A database and its remote end, with messages as between isolates. */
function pair() {
  const database = new SqliteDatabase(":memory:");
  const messages: (readonly StatementCall[])[] = [];
  const remote: RemoteDatabase = new RemoteDatabase(database.dialect, (calls) => {
    messages.push(structuredClone(calls));
    queueMicrotask(() => owner.carryOut(structuredClone(calls)));
  });
  const owner = new DatabaseOwner(
    database,
    (answers) => queueMicrotask(() => remote.answer(structuredClone(answers))),
  );
  return { database, remote, messages };
}

Deno.test("rows come back; the text of a statement goes over once, a turn's calls together", async () => {
  const { database, remote, messages } = pair();
  const sql = "SELECT ? AS text, ? AS number, ? AS bytes";
  const row = (n: number) => remote.query(sql, ["a", n, new Uint8Array([n])]);
  const rows = await Promise.all([row(1), row(2)]);
  assert.deepEqual(rows.map(([first]) => ({ ...first })), [
    { text: "a", number: 1, bytes: new Uint8Array([1]) },
    { text: "a", number: 2, bytes: new Uint8Array([2]) },
  ]);
  await row(3);
  const texts = messages.map((calls) => calls.map((call) => call.sql !== undefined));
  assert.deepEqual(texts, [[true, false], [false]]);
  await database.close();
});

Deno.test("whether nothing was done is known at the other end, too", async () => {
  const { database, remote } = pair();
  await assert.rejects(remote.query("SELECT * FROM nowhere"), LedgerRefused);
  await database.close();
  await assert.rejects(remote.query("SELECT 1"), LedgerUnavailable);
});
