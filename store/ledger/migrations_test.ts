import assert from "node:assert/strict";
import { withLedgerFile as inFolder } from "../../tests/support/ledger_file.ts";
import { poolerTest, postgresTest } from "../../tests/rig/test_postgres.ts";
import { ledgerOn } from "./ledger.ts";
import { migrate, NewerSchema, schemaVersion } from "./migrations.ts";
import { openLedger } from "./open_ledger.ts";
import { defaultLedgerSettings } from "./payment_ledger.ts";
import { PostgresDatabase } from "./postgres_database.ts";
import type { SqlDatabase } from "./sql_database.ts";
import { SqliteDatabase } from "./sqlite_database.ts";
import { newPayment } from "./test_payment.ts";

async function versions(database: SqlDatabase): Promise<number[]> {
  const rows = await database.query("SELECT version FROM ledger_schema");
  return rows.map(({ version }) => Number(version));
}

async function refusesNewer(database: SqlDatabase): Promise<void> {
  await migrate(database);
  await migrate(database);
  assert.deepEqual(await versions(database), [schemaVersion], "a second time changes nothing");
  await database.query("UPDATE ledger_schema SET version = ?", [schemaVersion + 1]);
  await assert.rejects(migrate(database), (error: Error) => {
    assert.ok(error instanceof NewerSchema);
    assert.match(
      error.message,
      new RegExp(`version ${schemaVersion + 1}.* up to ${schemaVersion}`),
    );
    return true;
  });
  assert.deepEqual(await versions(database), [schemaVersion + 1]);
  await database.close();
}

Deno.test("SQLite: a newer schema is left alone", () =>
  inFolder((path) => refusesNewer(new SqliteDatabase(path))));

postgresTest(
  "PostgreSQL: a newer schema is left alone",
  async (server) => await refusesNewer(new PostgresDatabase(await server.createDatabase())),
);

/** Replicas that start together: one makes the schema, the others wait for it. */
async function migrateTogether(url: string): Promise<void> {
  const replicas = Array.from({ length: 8 }, () => new PostgresDatabase(url));
  await Promise.all(replicas.map((database) => migrate(database)));
  assert.deepEqual(await versions(replicas[0]!), [schemaVersion]);
  await Promise.all(replicas.map((database) => database.close()));
}

postgresTest(
  "PostgreSQL: replicas that start together migrate once",
  async (server) => await migrateTogether(await server.createDatabase()),
);

poolerTest(
  "PostgreSQL behind a pooler: replicas that start together migrate once",
  async (server, pooler) => await migrateTogether(pooler.through(await server.createDatabase())),
);

Deno.test("SQLite: processes that start together on one file migrate once", () =>
  inFolder(async (path) => {
    const script = new URL("../../tests/support/open_ledger_once.ts", import.meta.url).pathname;
    const args = ["run", "-A", script, path];
    const outputs = await Promise.all(
      Array.from({ length: 4 }, () => new Deno.Command(Deno.execPath(), { args }).output()),
    );
    const decoder = new TextDecoder();
    for (const { code, stderr } of outputs) assert.equal(code, 0, decoder.decode(stderr));
    const database = new SqliteDatabase(path);
    assert.deepEqual(await versions(database), [schemaVersion]);
    const rows = await Array.fromAsync(ledgerOn(database).history.list());
    assert.equal(rows.length, 4, "each has written");
    await database.close();
  }));

Deno.test("a step that fails leaves nothing behind", () =>
  inFolder(async (path) => {
    const database = new SqliteDatabase(path);
    await database.query("CREATE TABLE payment_replies (other TEXT)");
    await assert.rejects(migrate(database), /payment_replies/);
    const tables = await database.query("SELECT name FROM sqlite_master WHERE name = 'payments'");
    assert.deepEqual(tables, [], "the tables before it are not there either");
    await database.close();
  }));

Deno.test("a ledger in a folder that is not there says so", () =>
  inFolder(async (path) => {
    const options = { sync: "normal", settings: defaultLedgerSettings } as const;
    await assert.rejects(openLedger(`${path}/no/payments.db`, options), /unable to open/);
    await assert.rejects(openLedger("postgres://127.0.0.1:1/x", options));
    const ledger = await openLedger(path, options);
    assert.equal((await ledger.payments.reserve(newPayment())).kind, "reserved");
    await ledger.close();
  }));
