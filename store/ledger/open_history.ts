import { NewerSchema, schemaVersion } from "./migrations.ts";
import { PaymentHistory } from "./payment_history.ts";
import { checkTarget, isPostgres } from "./ledger_target.ts";
import { LedgerRefused, LedgerUnavailable, type SqlDatabase } from "./sql_database.ts";
import { SqliteReader } from "./sqlite_reader.ts";

export type { PaymentHistory } from "./payment_history.ts";

/** A ledger for people to read, while gateways write to it. */
export interface OpenHistory {
  readonly history: PaymentHistory;
  close(): Promise<void>;
}

/** What is named is not a ledger. */
export class NoLedger extends Error {
  override readonly name = "NoLedger";
}

/** The ledger was written by an older program, and nobody has brought its schema up to date. */
export class OlderSchema extends Error {
  override readonly name = "OlderSchema";
}

type Reader = Pick<SqlDatabase, "query" | "close">;

/**
 * Opens a ledger for reading: what is not there is not created, what is old is not migrated.
 *
 * @param target `postgres://...` or the path of an SQLite file
 * @throws {WrongTarget} {NoLedger} {NewerSchema} {OlderSchema} {LedgerUnavailable}
 */
export async function openHistory(target: string): Promise<OpenHistory> {
  checkTarget(target);
  const reader = await openReader(target);
  try {
    await checkSchema(reader);
  } catch (error) {
    await reader.close();
    throw error;
  }
  return { history: new PaymentHistory(reader), close: () => reader.close() };
}

async function openReader(target: string): Promise<Reader> {
  if (isPostgres(target)) {
    const { PostgresDatabase } = await import("./postgres_database.ts");
    return new PostgresDatabase(target);
  }
  const info = await Deno.stat(target).catch((error: Error) => error);
  if (info instanceof Deno.errors.NotFound) throw new NoLedger(`there is no file ${target}`);
  // Not `isFile`: whoever has a ledger on a block device or behind a link is right, too.
  if (!(info instanceof Error) && info.isDirectory) {
    throw new NoLedger(`${target} is a folder, not an SQLite file`);
  }
  return new SqliteReader(target);
}

async function checkSchema(reader: Reader): Promise<void> {
  const found = await versionOf(reader);
  if (!Number.isInteger(found)) {
    throw new NoLedger("the version of its schema is no number; some other program wrote it");
  }
  if (found > schemaVersion) {
    throw new NewerSchema(found, schemaVersion);
  }
  if (found < schemaVersion) {
    throw new OlderSchema(
      `the ledger has schema version ${found}, and this program reads ${schemaVersion}; ` +
        "start a gateway of this version on it, or run the version that wrote it",
    );
  }
}

async function versionOf(reader: Reader): Promise<number> {
  try {
    const [row] = await reader.query("SELECT version FROM ledger_schema");
    return Number(row?.version ?? 0);
  } catch (error) {
    if (!(error instanceof LedgerUnavailable || error instanceof LedgerRefused)) throw error;
    const { code, message } = error.cause as { code?: string; message: string };
    // PostgreSQL's code is the same in every language of its messages.
    if (code === "42P01" || /^no such table: ledger_schema$/.test(message)) {
      throw new NoLedger("the database has no ledger in it (no table ledger_schema)");
    }
    if (message === "file is not a database") throw new NoLedger(error.message);
    throw error;
  }
}
