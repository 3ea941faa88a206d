import { ledgerOn } from "../../store/ledger/ledger.ts";
import { migrate } from "../../store/ledger/migrations.ts";
import type { NewPayment } from "../../store/ledger/payment_record.ts";
import type { PaymentState } from "../../store/ledger/payment_state.ts";
import type { SqlDatabase } from "../../store/ledger/sql_database.ts";
import { newPayment } from "../../store/ledger/test_payment.ts";

/** A payment that is to be on record, with how far it came. */
export interface RecordedPayment extends Partial<NewPayment> {
  readonly state: PaymentState;
  /** When it began, ms since 1970; it settled a second later. */
  readonly at: number;
  readonly transaction?: string;
  readonly reason?: string;
}

const ways: Readonly<Partial<Record<PaymentState, readonly PaymentState[]>>> = {
  verified: ["verified"],
  rejected: ["rejected"],
  settled: ["verified", "settling", "settled"],
  delivered: ["verified", "settling", "settled", "delivered"],
  undelivered: ["verified", "settling", "settled", "undelivered"],
  unknown: ["verified", "settling", "unknown"],
};

/** Makes a ledger of a database in the way in which a gateway does, but for the times. */
export async function writeLedger(
  database: SqlDatabase,
  payments: readonly RecordedPayment[],
): Promise<void> {
  await migrate(database);
  const ledger = ledgerOn(database);
  for (const { state, at, transaction, reason, ...changes } of payments) {
    const reservation = await ledger.payments.reserve(newPayment(changes));
    if (reservation.kind !== "reserved") throw new Error(`not reserved: ${reservation.kind}`);
    const { hold } = reservation;
    for (const step of ways[state] ?? []) {
      await ledger.payments.move(hold, step, {
        ...(step === "settled" && transaction !== undefined && { transaction }),
        ...(step === state && reason !== undefined && { reason }),
      });
    }
    await database.query(
      `UPDATE payments SET created_at = ?, updated_at = ?,
        settled_at = CASE WHEN settled_at IS NULL THEN NULL ELSE CAST(? AS BIGINT) END WHERE id = ?`,
      [at, at + 1_000, at + 1_000, hold.id],
    );
  }
  ledger.payments.close();
}
