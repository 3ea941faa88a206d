// @ts-types="@types/pg"
import pg from "pg";
import { postgresConnection } from "./postgres_tls.ts";
import {
  LedgerRefused,
  LedgerUnavailable,
  type RunStatement,
  type SqlDatabase,
  type SqlDialect,
  type SqlRow,
  type SqlValue,
} from "./sql_database.ts";

/**
 * Limits in ms: for a connection (a free one, or a new one with its login), and for the answer to a
 * statement. What takes longer counts as not answered, although it may still be carried out.
 */
const connectMs = 2_000;
const queryMs = 2_000;
/** For the turn of this replica when all of them migrate at once. */
const migrationMs = 60_000;
/** More were not faster (measured with 32 payments at a time). */
const maxConnections = 8;

/** Any number; what else uses this database must not use the same for advisory locks. */
const migrationLock = 4_020_402;

/** PostgreSQL's codes of types whose values fit into a number here. */
const int8 = 20;

/**
 * PostgreSQL, directly or through a pooler in transaction mode: no prepared statements, no settings
 * or locks that outlive a transaction.
 */
export class PostgresDatabase implements SqlDatabase {
  readonly dialect: SqlDialect = {
    name: "postgres",
    // The same clock for all replicas. `clock_timestamp()` would keep the planner from every index.
    now: "(extract(epoch FROM statement_timestamp()) * 1000)::bigint",
    integer: "BIGINT",
    uint256: "NUMERIC(78, 0)",
    bytes: "BYTEA",
  };
  readonly #pool: pg.Pool;
  readonly #texts = new Map<string, string>();

  /**
   * @param url with `sslmode` as in `postgresConnection`
   * @param onIdleError told when a connection breaks that nobody uses
   * @throws {Error} for files of TLS that cannot be read
   */
  constructor(url: string, onIdleError: (error: Error) => void = () => {}) {
    this.#pool = new pg.Pool({
      ...postgresConnection(url),
      max: maxConnections,
      connectionTimeoutMillis: connectMs,
      query_timeout: queryMs,
      // A quiet hour must not make the next payment wait for a login.
      idleTimeoutMillis: 300_000,
      keepAlive: true,
      allowExitOnIdle: true,
      application_name: "x402-k8s-operator",
      types: {
        getTypeParser: (code, format) =>
          code === int8 ? Number : pg.types.getTypeParser(code, format),
      },
    });
    this.#pool.on("error", onIdleError);
  }

  async query(sql: string, values: readonly SqlValue[] = []): Promise<SqlRow[]> {
    try {
      const { rows } = await this.#pool.query(this.#numbered(sql), [...values]);
      return rows;
    } catch (error) {
      throw failure(error);
    }
  }

  async exclusively(work: (run: RunStatement) => Promise<void>): Promise<void> {
    const client = await this.#pool.connect().catch((error) => {
      throw failure(error);
    });
    const run: RunStatement = async (sql, values = []) => {
      const config = { text: this.#numbered(sql), values: [...values], query_timeout: migrationMs };
      try {
        return (await client.query(config)).rows;
      } catch (error) {
        throw failure(error);
      }
    };
    // The pool listens to idle connections only; an error that nobody hears ends the process.
    const ignore = () => {};
    client.on("error", ignore);
    try {
      await run("BEGIN");
      // Until the end of the transaction: a pooler gives locks of sessions to anybody.
      await run("SELECT pg_advisory_xact_lock(?)", [migrationLock]);
      await work(run);
      await run("COMMIT");
      client.off("error", ignore);
      client.release();
    } catch (error) {
      // A connection in an unknown state is not used again.
      client.release(true);
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  /** `?` as `$1`, `$2`, ...; the ledger's SQL has no other question marks. */
  #numbered(sql: string): string {
    let text = this.#texts.get(sql);
    if (text === undefined) {
      let count = 0;
      this.#texts.set(sql, text = sql.replaceAll("?", () => `$${++count}`));
    }
    return text;
  }
}

function failure(error: unknown): Error {
  // SQLSTATE classes of what is wrong with the statement or its values, not with the database.
  const isRefusal = error instanceof pg.DatabaseError &&
    /^(?:22|23|42)...$/.test(error.code ?? "");
  const { message } = error as Error;
  return new (isRefusal ? LedgerRefused : LedgerUnavailable)(message, { cause: error });
}
