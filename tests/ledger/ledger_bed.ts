/** What the cases of the ledger's contract have in common. */
import assert from "node:assert/strict";
import type { Ledger } from "../../store/ledger/ledger.ts";
import type { Hold, Reservation } from "../../store/ledger/payment_ledger.ts";
import { type NewPayment, paymentKey } from "../../store/ledger/payment_record.ts";
import type { PaymentState } from "../../store/ledger/payment_state.ts";
import type { SqlDatabase } from "../../store/ledger/sql_database.ts";

/** A ledger with the database below it, and a second one on the same database: another replica. */
export interface LedgerBed {
  readonly ledger: Ledger;
  readonly replica: Ledger;
  readonly database: SqlDatabase;
}

export type ContractCase = (bed: LedgerBed) => Promise<void>;

/** Ways from `reserved` to each state. */
export const ways: Record<PaymentState, readonly PaymentState[]> = {
  reserved: [],
  verified: ["verified"],
  executed: ["verified", "settling", "executed"],
  settling: ["verified", "settling"],
  settled: ["verified", "settling", "settled"],
  delivered: ["verified", "settling", "settled", "delivered"],
  rejected: ["rejected"],
  released: ["released"],
  unknown: ["verified", "settling", "unknown"],
  undelivered: ["verified", "settling", "settled", "undelivered"],
};

export const transaction = `0x${"5e".repeat(32)}`;

export async function reserve({ payments }: Ledger, payment: NewPayment): Promise<Hold> {
  const reservation = await payments.reserve(payment);
  assert.equal(reservation.kind, "reserved");
  return (reservation as Extract<Reservation, { kind: "reserved" }>).hold;
}

export async function bringTo(
  ledger: Ledger,
  payment: NewPayment,
  state: PaymentState,
): Promise<Hold> {
  const hold = await reserve(ledger, payment);
  for (const step of ways[state]) {
    await ledger.payments.move(hold, step, {
      ...(step === "verified" && { executions: 1 }),
      ...(step === "settling" && { claim: '{"signed":true}' }),
      ...(step === "settled" && { transaction }),
    });
  }
  return hold;
}

export async function stateOf({ history }: Ledger, payment: NewPayment): Promise<PaymentState> {
  const [record] = await history.show(paymentKey(payment));
  return record!.state;
}

/** As if the holders had been silent for long. */
export async function endLeases({ database }: LedgerBed, { nonce }: NewPayment): Promise<void> {
  await database.query("UPDATE payments SET lease_until = 1 WHERE nonce = ? AND lease_until > 0", [
    nonce,
  ]);
}

export async function kindOf(ledger: Ledger, payment: NewPayment): Promise<Reservation["kind"]> {
  return (await ledger.payments.reserve(payment)).kind;
}
