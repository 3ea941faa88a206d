import { type Ledger, ledgerOn } from "./ledger.ts";
import { migrate } from "./migrations.ts";
import type { LedgerSettings } from "./payment_ledger.ts";
import { checkTarget, inMemory, isPostgres } from "./ledger_target.ts";
import type { SqlDatabase } from "./sql_database.ts";
import { SqliteDatabase, type SqliteSync } from "./sqlite_database.ts";

export type { Ledger } from "./ledger.ts";

export interface LedgerOptions {
  readonly sync: SqliteSync;
  readonly settings: LedgerSettings;
  /** Told when a connection to PostgreSQL breaks that nobody uses. */
  readonly onIdleError?: (error: Error) => void;
}

/**
 * Opens a ledger and brings its schema up to date.
 *
 * @param target `postgres://...`, the path of an SQLite file, or `:memory:`
 * @throws {WrongTarget} {NewerSchema}, or what the database says when it cannot be opened
 */
export async function openLedger(target: string, options: LedgerOptions): Promise<Ledger> {
  if (target !== inMemory) checkTarget(target);
  const database = await openDatabase(target, options);
  try {
    await migrate(database);
  } catch (error) {
    await database.close();
    throw error;
  }
  return ledgerOn(database, crypto.randomUUID(), options.settings);
}

async function openDatabase(
  target: string,
  { sync, onIdleError }: LedgerOptions,
): Promise<SqlDatabase> {
  if (!isPostgres(target)) return new SqliteDatabase(target, sync);
  // Only who uses it pays for it.
  const { PostgresDatabase } = await import("./postgres_database.ts");
  return new PostgresDatabase(target, onIdleError);
}
