import type { LedgerSql } from "./ledger_sql.ts";
import type { SqlDatabase, SqlRow } from "./sql_database.ts";

/** What an identifier that a buyer gave to its payment stands for. */
export type IdentifierClaim =
  /** For this payment, from now on. */
  | { readonly kind: "claimed" }
  /** For another payment that asks for the same: its outcome is the answer. */
  | { readonly kind: "same_request"; readonly paymentId: string }
  /** For another request. */
  | { readonly kind: "conflict" };

/**
 * The extension `payment-identifier` (payment_identifier.md, "Idempotency Behavior"): the first
 * request that is charged under an identifier owns it; one that was never charged gives it back.
 */
export class PaymentIdentifiers {
  constructor(private readonly database: SqlDatabase, private readonly sql: LedgerSql) {}

  /**
   * @param key the identifier, with what keeps strangers apart
   * @param paymentId key of the payment that comes with it
   * @param requestDigest of the request, what it pays for included
   */
  async claim(key: string, paymentId: string, requestDigest: string): Promise<IdentifierClaim> {
    for (;;) {
      const { database, sql } = this;
      const inserted = await database.query(sql.claimIdentifier, [key, paymentId, requestDigest]);
      if (inserted.length > 0) return { kind: "claimed" };
      const [bound] = await database.query(sql.findIdentifier, [key]);
      if (bound === undefined) continue; // removed in between, for its age
      if (bound.request_digest === requestDigest && bound.payment_id === paymentId) {
        return { kind: "claimed" };
      }
      if (!await this.#isFree(bound)) {
        return bound.request_digest === requestDigest
          ? { kind: "same_request", paymentId: bound.payment_id as string }
          : { kind: "conflict" };
      }
      const values = [paymentId, requestDigest, key, bound.payment_id as string];
      if ((await database.query(sql.rebindIdentifier, values)).length > 0) {
        return { kind: "claimed" };
      }
    }
  }

  /** The payment that it stands for was never charged, and is not going to be. */
  async #isFree(bound: SqlRow): Promise<boolean> {
    const [row] = await this.database.query(this.sql.find, [bound.payment_id as string]);
    // Without a row its request is just about to make one, unless it died before it could.
    if (row === undefined) return bound.stale === 1;
    return row.state === "rejected" || row.state === "released";
  }
}
