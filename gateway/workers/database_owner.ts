import { LedgerRefused, type SqlDatabase } from "../../store/ledger/sql_database.ts";
import type { StatementAnswer, StatementCall } from "./messages.ts";

/** Carries out the statements of one worker. */
export class DatabaseOwner {
  /** By the number that the worker gave them. */
  readonly #statements: string[] = [];
  #answers: StatementAnswer[] = [];

  constructor(
    private readonly database: SqlDatabase,
    private readonly send: (answers: readonly StatementAnswer[]) => void,
  ) {}

  carryOut(calls: readonly StatementCall[]): void {
    for (const call of calls) {
      if (call.sql !== undefined) this.#statements[call.statement] = call.sql;
      this.#carryOut(call);
    }
  }

  async #carryOut({ call, statement, values }: StatementCall): Promise<void> {
    try {
      const rows = await this.database.query(this.#statements[statement]!, values);
      this.#answer({ call, rows });
    } catch (error) {
      const { message } = error as Error;
      const refused = error instanceof LedgerRefused;
      this.#answer(refused ? { call, refused: message } : { call, unavailable: message });
    }
  }

  /** What is known in one turn goes over in one message. */
  #answer(answer: StatementAnswer): void {
    this.#answers.push(answer);
    if (this.#answers.length > 1) return;
    queueMicrotask(() => {
      const answers = this.#answers;
      this.#answers = [];
      this.send(answers);
    });
  }
}
