/** The ledger's contract on SQLite in memory, in a file, and on PostgreSQL, also behind a pooler. */
import { join } from "node:path";
import { ledgerOn } from "../../store/ledger/ledger.ts";
import { migrate } from "../../store/ledger/migrations.ts";
import { PostgresDatabase } from "../../store/ledger/postgres_database.ts";
import type { SqlDatabase } from "../../store/ledger/sql_database.ts";
import { SqliteDatabase, type SqliteSync } from "../../store/ledger/sqlite_database.ts";
import { poolerTest, postgresTest } from "../rig/test_postgres.ts";
import type { ContractCase } from "./ledger_bed.ts";
import { reservationContract } from "./reservation_contract.ts";
import { upkeepContract } from "./upkeep_contract.ts";

/** Two replicas, each with connections of its own. */
async function run(test: ContractCase, open: () => SqlDatabase): Promise<void> {
  const databases = [open(), open()] as const;
  for (const database of databases) await migrate(database);
  const [ledger, replica] = [ledgerOn(databases[0], "one"), ledgerOn(databases[1], "two")];
  try {
    await test({ ledger, replica, database: databases[0] });
  } finally {
    await ledger.close();
    await replica.close();
  }
}

for (const [name, test] of Object.entries({ ...reservationContract, ...upkeepContract })) {
  for (const sync of ["normal", "full"] as const satisfies readonly SqliteSync[]) {
    Deno.test(`SQLite, ${sync}: ${name}`, async () => {
      const folder = await Deno.makeTempDir({ prefix: "x402-ledger-" });
      try {
        await run(test, () => new SqliteDatabase(join(folder, "payments.db"), sync));
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    });
  }
  postgresTest(`PostgreSQL: ${name}`, async (server) => {
    const url = await server.createDatabase();
    await run(test, () => new PostgresDatabase(url));
  });
  poolerTest(`PostgreSQL behind a pooler: ${name}`, async (server, pooler) => {
    const url = pooler.through(await server.createDatabase());
    await run(test, () => new PostgresDatabase(url));
  });
}
