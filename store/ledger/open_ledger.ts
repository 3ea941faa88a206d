import { type Ledger, ledgerOn } from "./ledger.ts";
import { migrate, NewerSchema } from "./migrations.ts";
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
 * @throws {WrongTarget} {NewerSchema}, or what the database says when it cannot be opened, with the path if it is a file
 */
export async function openLedger(target: string, options: LedgerOptions): Promise<Ledger> {
  if (target !== inMemory) checkTarget(target);
  let database: SqlDatabase | undefined;
  try {
    database = await openDatabase(target, options);
    await migrate(database);
  } catch (error) {
    await database?.close();
    throw isPostgres(target) || error instanceof NewerSchema
      ? error
      : named(target, error as Error);
  }
  return ledgerOn(database, crypto.randomUUID(), options.settings);
}

/** SQLite's words seldom say which file it is, and it may not be the one that was meant. */
function named(path: string, error: Error): Error {
  const { message } = error;
  return new Error(
    `${message.includes(path) ? "" : `${path}: `}${message}; give the path of an SQLite file, or ` +
      "of none yet, in a folder that can be written to",
    { cause: error },
  );
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
