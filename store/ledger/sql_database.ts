/** What goes into a statement; integers are safe ones, larger numbers go as decimal text. */
export type SqlValue = string | number | null | Uint8Array;

/** 64-bit integers come as numbers, NUMERIC as text. */
export type SqlRow = Readonly<Record<string, unknown>>;

/**
 * What the ledger asks of a database: single statements, each atomic, committed when it resolves.
 * No transaction spans a round trip, so a pooler may hand each statement to another connection.
 * Both dialects read the ledger's SQL: `?` for values, `INSERT ... ON CONFLICT`, `RETURNING`.
 */
export interface SqlDatabase {
  readonly dialect: SqlDialect;
  /**
   * @throws {LedgerUnavailable} when it is not known whether the statement was carried out
   * @throws {LedgerRefused} when it was not, and never will be
   */
  query(sql: string, values?: readonly SqlValue[]): Promise<SqlRow[]>;
  /** Runs `work` alone among all processes on this database, in one transaction. */
  exclusively(work: (run: RunStatement) => Promise<void>): Promise<void>;
  /** Carries out what was asked for so far, then closes. */
  close(): Promise<void>;
}

export type RunStatement = (sql: string, values?: readonly SqlValue[]) => Promise<SqlRow[]>;

/** Where the two databases differ. */
export interface SqlDialect {
  readonly name: "sqlite" | "postgres";
  /** Expression for ms since 1970, by one clock for all replicas. */
  readonly now: string;
  readonly integer: string;
  /** An integer of up to 78 digits. */
  readonly uint256: string;
  readonly bytes: string;
}

/** The database cannot be reached, or did not say what became of a statement. Nothing may be charged. */
export class LedgerUnavailable extends Error {
  override readonly name = "LedgerUnavailable";
}

/**
 * The database understood the statement and does not want it: a constraint, a value that does not
 * fit, a table that is not there. Nothing was done, and asking again brings the same answer.
 */
export class LedgerRefused extends Error {
  override readonly name = "LedgerRefused";
}
