// @ts-types="@types/pg"
import pg from "pg";
import {
  LedgerUnavailable,
  type RunStatement,
  type SqlDatabase,
  type SqlDialect,
  type SqlRow,
  type SqlValue,
} from "./sql_database.ts";

/** Limits of one statement, in ms: what takes longer counts as not answered. */
const connectMs = 3_000;
const queryMs = 5_000;
const maxConnections = 16;

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
    // Not that of the transaction's begin, and the same clock for all replicas.
    now: "(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
    integer: "BIGINT",
    uint256: "NUMERIC(78, 0)",
    bytes: "BYTEA",
  };
  readonly #pool: pg.Pool;
  readonly #texts = new Map<string, string>();

  /** @param onIdleError told when a connection breaks that nobody uses */
  constructor(url: string, onIdleError: (error: Error) => void = () => {}) {
    this.#pool = new pg.Pool({
      connectionString: url,
      max: maxConnections,
      connectionTimeoutMillis: connectMs,
      query_timeout: queryMs,
      keepAlive: true,
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
      throw new LedgerUnavailable((error as Error).message, { cause: error });
    }
  }

  async exclusively(work: (run: RunStatement) => Promise<void>): Promise<void> {
    const client = await this.#pool.connect();
    try {
      await client.query("BEGIN");
      await client.query("SELECT pg_advisory_xact_lock($1)", [migrationLock]);
      await work(async (sql, values = []) =>
        (await client.query(this.#numbered(sql), [...values])).rows
      );
      await client.query("COMMIT");
      client.release();
    } catch (error) {
      // A connection in an unknown state is not used again.
      client.release(error as Error);
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
