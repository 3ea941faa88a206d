import type { LedgerSql } from "./ledger_sql.ts";
import type { SqlDatabase, SqlRow } from "./sql_database.ts";

/** What an identifier that a buyer gave to its payment stands for. */
export type IdentifierMeaning =
  /** Nothing, or this payment, or one that was never charged: this one may have it. */
  | { readonly kind: "free" }
  /** Another payment that asks for the same: its outcome is the answer. */
  | { readonly kind: "same_request"; readonly paymentId: string }
  /** Another request. */
  | { readonly kind: "conflict" };

/**
 * The extension `payment-identifier` (payment_identifier.md, "Idempotency Behavior"): the first
 * payment that may be charged under an identifier owns it; one that was never charged gives it back.
 */
export class PaymentIdentifiers {
  constructor(private readonly database: SqlDatabase, private readonly sql: LedgerSql) {}

  /**
   * Looks without writing: payments that nobody signed must leave nothing behind.
   *
   * @param key the identifier, with what keeps strangers apart
   * @param paymentId key of the payment that comes with it
   * @param request what it pays for
   */
  async find(key: string, paymentId: string, request: string): Promise<IdentifierMeaning> {
    const [bound] = await this.database.query(this.sql.findIdentifier, [key]);
    if (bound === undefined || await this.#isFree(bound, paymentId, request)) {
      return { kind: "free" };
    }
    return bound.request_digest === request
      ? { kind: "same_request", paymentId: bound.payment_id as string }
      : { kind: "conflict" };
  }

  /**
   * Takes an identifier for a payment that is held, and known to be signed by its payer.
   * @returns false when it stands for another payment by now
   */
  async claim(key: string, paymentId: string, request: string): Promise<boolean> {
    const { database, sql } = this;
    for (;;) {
      const inserted = await database.query(sql.claimIdentifier, [key, paymentId, request]);
      if (inserted.length > 0) return true;
      const [bound] = await database.query(sql.findIdentifier, [key]);
      if (bound === undefined) continue; // removed in between, for its age
      if (!await this.#isFree(bound, paymentId, request)) return false;
      const values = [paymentId, request, key, bound.payment_id as string];
      if ((await database.query(sql.rebindIdentifier, values)).length > 0) return true;
    }
  }

  async #isFree(bound: SqlRow, paymentId: string, request: string): Promise<boolean> {
    const isOwn = bound.payment_id === paymentId;
    if (isOwn && bound.request_digest === request) return true;
    const [row] = await this.database.query(this.sql.find, [bound.payment_id as string]);
    // Without a row it was over, and has been removed for its age: maybe charged.
    if (row === undefined) return false;
    // Its own, for another request: free as long as that was not charged either.
    if (isOwn && row.executions === 0 && row.state === "reserved") return true;
    return row.state === "rejected" || row.state === "released";
  }
}
