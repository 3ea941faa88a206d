import assert from "node:assert/strict";
import { postgresTest } from "../../tests/rig/test_postgres.ts";
import { LedgerSql } from "./ledger_sql.ts";
import { migrate } from "./migrations.ts";
import { PostgresDatabase } from "./postgres_database.ts";
import type { SqlDatabase, SqlRow } from "./sql_database.ts";
import { SqliteDatabase } from "./sqlite_database.ts";

/** Made again and again while requests are served: a table of any size must not be read for them. */
const repeated = [
  ...["find", "lapse", "lapseOne", "voidExecuted", "takeDoubtful", "countOpen"],
  ...["prune", "pruneUnused", "pruneIdentifiers", "pruneReplies"],
] as const;

async function checkPlans(
  { dialect }: SqlDatabase,
  explain: (statement: string) => Promise<SqlRow[]>,
  scan: RegExp,
): Promise<void> {
  const sql = new LedgerSql(dialect);
  for (const name of repeated as readonly (keyof LedgerSql)[]) {
    const rows = await explain(String(sql[name]).replaceAll("?", "'1'"));
    const plan = rows.map((row) => String(row.detail ?? row["QUERY PLAN"])).join("\n");
    assert.match(plan, /payment/);
    assert.doesNotMatch(plan, scan, `${name}:\n${plan}`);
  }
}

Deno.test("SQLite: nothing that is done again and again reads the whole table", async () => {
  const database = new SqliteDatabase(":memory:");
  await migrate(database);
  const explain = (statement: string) => database.query(`EXPLAIN QUERY PLAN ${statement}`);
  await checkPlans(database, explain, /\bSCAN payment(?!.*USING INDEX payments_open)/);
  await database.close();
});

postgresTest(
  "PostgreSQL: nothing that is done again and again reads the whole table",
  async (server) => {
    const database = new PostgresDatabase(await server.createDatabase());
    await migrate(database);
    await database.exclusively(async (run) => {
      // An empty table is read whole if possible: what is left then had no other way.
      await run("SET LOCAL enable_seqscan = off");
      await checkPlans(database, (statement) => run(`EXPLAIN ${statement}`), /Seq Scan on payment/);
    });
    await database.close();
  },
);
