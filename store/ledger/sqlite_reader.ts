import { DatabaseSync } from "node:sqlite";
import { LedgerUnavailable, type SqlDatabase, type SqlRow, type SqlValue } from "./sql_database.ts";

/** While a gateway that starts changes the file to a write-ahead log, readers have to wait, in ms. */
const busyTimeoutMs = 2_000;

/**
 * SQLite's codes, and Deno's words without a code, for a folder in which `-shm` and `-wal` cannot be
 * made: a write-ahead log needs them even to be read.
 */
const needsFolder = /unable to open database file|attempt to write a readonly database/;

/** An SQLite file that others may be writing to, for reading: nothing is created or changed in it. */
export class SqliteReader implements Pick<SqlDatabase, "query" | "close"> {
  readonly #database: DatabaseSync;

  /** @throws {LedgerUnavailable} */
  constructor(private readonly path: string) {
    this.#database = this.#tell(() => {
      const database = new DatabaseSync(path, { readOnly: true });
      database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
      return database;
    });
  }

  query(sql: string, values: readonly SqlValue[] = []): Promise<SqlRow[]> {
    // Each statement sees one state of the file; between two, writers go on.
    return Promise.try(() =>
      this.#tell(() => this.#database.prepare(sql).all(...values) as SqlRow[])
    );
  }

  close(): Promise<void> {
    this.#database.close();
    return Promise.resolve();
  }

  #tell<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      const { message } = error as Error;
      const hint = needsFolder.test(message)
        ? "; where no gateway has it open, its folder has to be writable, or else read a copy"
        : "";
      throw new LedgerUnavailable(`${this.path}: ${message}${hint}`, { cause: error });
    }
  }
}
