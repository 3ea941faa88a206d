import {
  LedgerRefused,
  LedgerUnavailable,
  type SqlDatabase,
  type SqlDialect,
  type SqlRow,
  type SqlValue,
} from "../../store/ledger/sql_database.ts";
import type { StatementAnswer, StatementCall } from "./messages.ts";

/**
 * The ledger's database, which another isolate owns. What is asked for in one turn of the event loop
 * goes over in one message.
 */
export class RemoteDatabase implements SqlDatabase {
  readonly #waiting = new Map<number, PromiseWithResolvers<SqlRow[]>>();
  readonly #statements = new Map<string, number>();
  #calls: StatementCall[] = [];
  #next = 0;

  constructor(
    readonly dialect: SqlDialect,
    private readonly send: (calls: readonly StatementCall[]) => void,
  ) {}

  query(sql: string, values: readonly SqlValue[] = []): Promise<SqlRow[]> {
    const waiting = Promise.withResolvers<SqlRow[]>();
    const call = this.#next++;
    this.#waiting.set(call, waiting);
    const known = this.#statements.get(sql);
    const statement = known ?? this.#statements.size;
    if (known === undefined) this.#statements.set(sql, statement);
    this.#calls.push({ call, statement, values, ...(known === undefined && { sql }) });
    if (this.#calls.length === 1) queueMicrotask(() => this.#flush());
    return waiting.promise;
  }

  /** To be called with what the owner says. */
  answer(answers: readonly StatementAnswer[]): void {
    for (const answer of answers) {
      const waiting = this.#waiting.get(answer.call);
      this.#waiting.delete(answer.call);
      if ("rows" in answer) waiting?.resolve([...answer.rows]);
      else if ("refused" in answer) waiting?.reject(new LedgerRefused(answer.refused));
      else waiting?.reject(new LedgerUnavailable(answer.unavailable));
    }
  }

  exclusively(): Promise<void> {
    return Promise.reject(new Error("only the owner of the database works alone on it"));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #flush(): void {
    const calls = this.#calls;
    this.#calls = [];
    this.send(calls);
  }
}
