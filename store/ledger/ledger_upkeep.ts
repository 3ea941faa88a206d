import type { LedgerSql } from "./ledger_sql.ts";
import type { LedgerSettings } from "./payment_ledger.ts";
import type { PaymentRecord } from "./payment_record.ts";
import { toRecord } from "./payment_history.ts";
import { openStates, type PaymentState } from "./payment_state.ts";
import type { SqlDatabase } from "./sql_database.ts";

/** A payment that was sent to `/settle` and whose outcome is to be found out. */
export interface DoubtfulPayment extends PaymentRecord {
  readonly fence: number;
  /** Times that somebody has tried to find out, this one included. */
  readonly checks: number;
  /** What `MoveDetails.claim` was. */
  readonly claim: string | undefined;
}

/** What was found out. */
export type Resolution =
  | { readonly state: "undelivered"; readonly transaction?: string; readonly reason: string }
  | { readonly state: "released"; readonly reason: string };

/** How long what is over is kept, in ms. */
export interface Retention {
  /** Payments that were begun and have ended. */
  readonly paymentsMs: number;
  /** Those of them that never got as far as a backend or a settlement. */
  readonly unusedMs: number;
  /** Identifiers of payments, and the replies that are kept for them. */
  readonly identifiersMs: number;
}

/** Moves on what no request works on any more. Any replica may do any of it at any time. */
export class LedgerUpkeep {
  constructor(
    private readonly database: SqlDatabase,
    private readonly sql: LedgerSql,
    private readonly settings: LedgerSettings,
  ) {}

  /** Payments whose holders are dead: see `afterLapse`. */
  async lapse(): Promise<{ id: string; state: PaymentState }[]> {
    await this.database.query(this.sql.voidExecuted, [this.settings.redeliveryMs]);
    return await this.database.query(this.sql.lapse) as { id: string; state: PaymentState }[];
  }

  /**
   * Payments whose turn it is to be asked about; each comes to one replica, and again only after a
   * time that grows from `intervalMs` to its 60-fold.
   */
  async takeDoubtful(intervalMs: number, limit: number): Promise<DoubtfulPayment[]> {
    const rows = await this.database.query(this.sql.takeDoubtful, [intervalMs, limit]);
    return rows.map((row) => ({
      ...toRecord(row),
      fence: row.fence as number,
      checks: row.checks as number,
      claim: (row.claim as string | null) ?? undefined,
    }));
  }

  /** Payments that are not over, by each of `openStates`: few, and found by an index. */
  async countOpen(): Promise<Map<PaymentState, number>> {
    const counts = new Map(openStates.map((state) => [state, 0]));
    for (const { state, count } of await this.database.query(this.sql.countOpen)) {
      counts.set(state as PaymentState, count as number);
    }
    return counts;
  }

  /**
   * It is not settled so far, and could still be: after a moment, in which a transaction may be on
   * its way, the buyer may send it again.
   */
  async foundUnused({ id, fence }: DoubtfulPayment): Promise<void> {
    await this.database.query(this.sql.foundUnused, [id, fence, this.settings.graceMs]);
  }

  /** @returns false when somebody else was faster */
  async resolve({ id, fence }: DoubtfulPayment, resolution: Resolution): Promise<boolean> {
    const { state, reason } = resolution;
    const transaction = "transaction" in resolution ? resolution.transaction ?? null : null;
    const charged = state === "undelivered" ? 1 : 0;
    const values = [state, reason, transaction, charged, id, fence];
    return (await this.database.query(this.sql.resolve, values)).length > 0;
  }

  /**
   * Removes a piece of what is older than its retention; open payments stay for ever.
   * @param limit rows of each kind: a large piece would hold everybody up
   * @returns whether there may be more
   */
  async prune({ paymentsMs, unusedMs, identifiersMs }: Retention, limit: number): Promise<boolean> {
    const { sql } = this;
    const pieces: [string, number[]][] = [
      [sql.prune, [paymentsMs, paymentsMs]],
      [sql.pruneUnused, [Math.min(paymentsMs, unusedMs)]],
      [sql.pruneIdentifiers, [identifiersMs]],
      [sql.pruneReplies, [identifiersMs]],
    ];
    let more = false;
    for (const [statement, ages] of pieces) {
      if (ages.includes(Infinity)) continue;
      const removed = await this.database.query(statement, [...ages, limit]);
      more ||= removed.length === limit;
    }
    return more;
  }
}
