import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setImmediate } from "node:timers";
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
 * How much a commit waits for the disk.
 *
 * - `normal`: a commit survives the death of the process (kill -9). At a power loss the last commits
 *   may be missing, never a part of one (SQLite, "PRAGMA synchronous").
 * - `full`: each group of commits waits for the disk, so they survive a power loss as well.
 */
export type SqliteSync = "normal" | "full";

interface Job {
  /** When it was asked for, ms of `performance.now`. */
  readonly since: number;
  readonly sql: string;
  readonly values: readonly SqlValue[];
  readonly resolve: (rows: SqlRow[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Pages (of 4 KiB) after which the log is written back. Each of them is written once then, however
 * often it has changed, so a longer log costs less of it.
 */
const checkpointPages = 8_000;
/** How long another process may hold the file, and how often it is tried meanwhile, in ms. */
const busyTimeoutMs = 2_000;
const busyRetryMs = 10;

/** SQLite in a file (write-ahead log), or in memory for `:memory:`. */
export class SqliteDatabase implements SqlDatabase {
  readonly dialect: SqlDialect = {
    name: "sqlite",
    now: "@now",
    integer: "INTEGER",
    uint256: "TEXT",
    bytes: "BLOB",
  };
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #jobs: Job[] = [];

  /** When to commit what has been asked for. */
  readonly #schedule: (commit: () => void) => void;

  /** @param now ms since 1970 */
  constructor(
    path: string,
    sync: SqliteSync = "normal",
    private readonly now: () => number = Date.now,
  ) {
    this.#database = new DatabaseSync(path);
    // While the disk is waited for, requests pile up: all of a turn of the event loop share a commit.
    // Where it is not, waiting for others would only cost them time.
    this.#schedule = sync === "full" ? setImmediate : queueMicrotask;
    this.#database.exec(
      `PRAGMA busy_timeout = ${busyTimeoutMs}; PRAGMA journal_mode = WAL;
        PRAGMA synchronous = ${sync}; PRAGMA wal_autocheckpoint = ${checkpointPages};
        PRAGMA busy_timeout = 0`,
    );
  }

  query(sql: string, values: readonly SqlValue[] = []): Promise<SqlRow[]> {
    if (!this.#database.isOpen) return Promise.reject(new LedgerUnavailable("it is closed"));
    return new Promise((resolve, reject) => {
      this.#jobs.push({ since: performance.now(), sql, values, resolve, reject });
      if (this.#jobs.length === 1) this.#schedule(() => this.#commit());
    });
  }

  async exclusively(work: (run: RunStatement) => Promise<void>): Promise<void> {
    this.#commit();
    this.#database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}; BEGIN EXCLUSIVE`);
    try {
      await work((sql, values = []) => Promise.resolve(this.#run(sql, values)));
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#rollBack();
      throw error;
    } finally {
      this.#database.exec("PRAGMA busy_timeout = 0");
    }
  }

  close(): Promise<void> {
    if (this.#jobs.length > 0) this.#database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    this.#commit();
    this.#database.close();
    return Promise.resolve();
  }

  /** Nobody is answered before the commit: what they are told is on record. */
  #commit(): void {
    const jobs = this.#jobs;
    if (jobs.length === 0) return;
    this.#jobs = [];
    let answers: (() => void)[];
    try {
      // A statement alone is a transaction of its own.
      if (jobs.length > 1) this.#database.exec("BEGIN IMMEDIATE");
      answers = jobs.map((job) => this.#answer(job));
      if (jobs.length > 1) this.#database.exec("COMMIT");
    } catch (error) {
      this.#rollBack();
      if (isBusy(error) && performance.now() - jobs[0]!.since < busyTimeoutMs) {
        // SQLite's own way to wait would stop the event loop, and every other request with it.
        if (this.#jobs.length === 0) setTimeout(() => this.#commit(), busyRetryMs);
        this.#jobs.unshift(...jobs);
        return;
      }
      // Of several statements it is not known which one it is about, and all were rolled back.
      const told = jobs.length === 1
        ? failure(error)
        : new LedgerUnavailable(String(error), { cause: error });
      for (const { reject } of jobs) reject(told);
      return;
    }
    for (const answer of answers) answer();
  }

  /** A statement that fails takes no other down, unless it ended the transaction (disk full). */
  #answer({ sql, values, resolve, reject }: Job): () => void {
    try {
      const rows = this.#run(sql, values);
      return () => resolve(rows);
    } catch (error) {
      if (!this.#database.isTransaction) throw error;
      return () => reject(failure(error));
    }
  }

  #run(sql: string, values: readonly SqlValue[]): SqlRow[] {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      this.#statements.set(sql, statement = this.#database.prepare(sql));
    }
    const named = sql.includes("@now") ? { now: this.now() } : {};
    return statement.all(named, ...values) as SqlRow[];
  }

  #rollBack(): void {
    try {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
    } catch {
      // The error that led here says more, and a broken transaction is not committed anyway.
    }
  }
}

/** Deno tells by words where Node has a code. */
function failure(error: unknown): Error {
  const isRefusal = /constraint failed|syntax error|no such (?:table|column)/.test(String(error));
  return new (isRefusal ? LedgerRefused : LedgerUnavailable)(String(error), { cause: error });
}

/** Another process is writing. Deno tells by words where Node has a code. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && /database (?:table )?is locked/.test(error.message);
}
