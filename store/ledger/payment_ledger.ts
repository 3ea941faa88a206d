import { insertColumns, type LedgerSql } from "./ledger_sql.ts";
import { LeaseKeeper } from "./lease_keeper.ts";
import {
  type KeptReply,
  type NewPayment,
  type PaymentBinding,
  paymentKey,
} from "./payment_record.ts";
import { type HeldState, heldStates, type PaymentState } from "./payment_state.ts";
import type { SqlDatabase, SqlRow, SqlValue } from "./sql_database.ts";

/** The right to move one payment on, for as long as nobody has taken it over. */
export interface Hold {
  readonly id: string;
  /** Grows with each change of hands. */
  readonly fence: number;
}

/** What a request may do with the payment that it carries. */
export type Reservation =
  /** Nobody else holds it and it was never used. */
  | { readonly kind: "reserved"; readonly hold: Hold }
  /** Paid, and the reply was lost: call the backend once more, without a charge. Now `settled`. */
  | { readonly kind: "fetch_again"; readonly hold: Hold; readonly transaction: string | undefined }
  /** The backend has replied to it and it was never charged: settle first. Now `settling`. */
  | { readonly kind: "settle_again"; readonly hold: Hold; readonly from: "executed" | "unknown" }
  /** Another request is being served with it right now. */
  | { readonly kind: "in_flight" }
  /** Nobody knows yet whether money has moved. */
  | { readonly kind: "unknown" }
  /** It pays for something else. */
  | { readonly kind: "bound_elsewhere" }
  /** Paid, and its lost reply cannot be fetched: too late, too often, or not to be told apart. */
  | { readonly kind: "lost" }
  /** It pays for nothing more. `delivered`: its reply has arrived, and may have been kept. */
  | { readonly kind: "used"; readonly delivered: boolean }
  /** There is no such payment on record; only where none may be made (`find`). */
  | { readonly kind: "absent" };

/** Details of a move; what is left out stays as it was. */
export interface MoveDetails {
  readonly reason?: string;
  readonly transaction?: string;
  /** 1: the backend is being called from here on; -1: it was provably not reached. */
  readonly executions?: -1 | 0 | 1;
  /** What the reconciler needs to ask the facilitator again, as JSON; holds the buyer's signature. */
  readonly claim?: string;
}

/** Somebody else has taken the payment over: whoever gets this must not touch money or backend. */
export class HoldLost extends Error {
  override readonly name = "HoldLost";
}

/** How a payment that is on record is looked at. */
export interface FindOptions {
  /** Another payment than the one that was sent, which a payment identifier led to. */
  readonly id?: string;
  /** Its payer is known to be who asks, although the signature is another one. */
  readonly proven?: boolean;
  /** The authorization is still good for a settlement. */
  readonly mayCharge?: boolean;
}

/** All times in ms. */
export interface LedgerSettings {
  /** A holder that is silent for so long is taken for dead. */
  readonly leaseMs: number;
  /** A reply that was lost may be fetched again so often and for so long after the settlement. */
  readonly redeliveries: number;
  readonly redeliveryMs: number;
  /** So long an unanswered settlement may still be on its way; then it may be tried again. */
  readonly graceMs: number;
}

export const defaultLedgerSettings: LedgerSettings = {
  leaseMs: 30_000,
  redeliveries: 3,
  redeliveryMs: 15 * 60_000,
  graceMs: 10_000,
};

/**
 * Every payment that was ever begun, and how far it came. The invariants that all of the gateway
 * rests on, across replicas and crashes:
 *
 * - of all requests that carry one payment, one at a time holds it (`reserve` is one statement);
 * - a move is carried out only from a state that allows it and by who knows the row's fence;
 * - what must not happen twice is written before it is done: `verified` before the backend is
 *   called, `settling` before money can move.
 *
 * Every method throws `LedgerUnavailable` when the database does not answer.
 */
export class PaymentLedger {
  readonly #leases: LeaseKeeper;

  /** @param owner names this process in the rows that it holds, for people */
  constructor(
    private readonly database: SqlDatabase,
    private readonly sql: LedgerSql,
    private readonly owner: string,
    private readonly settings: LedgerSettings,
  ) {
    this.#leases = new LeaseKeeper(settings.leaseMs, (hold) => this.renew(hold));
  }

  /** Reserves a payment that is new, or says what may be done with one that is not. */
  async reserve(payment: NewPayment): Promise<Reservation> {
    const id = paymentKey(payment);
    const values = [...insertValues(id, payment, this.owner), this.settings.leaseMs];
    const [row] = await this.database.query(this.sql.reserve, values);
    if (row !== undefined) return { kind: "reserved", hold: this.#hold(id, row) };
    return await this.find(payment, { mayCharge: true });
  }

  /** The same without reserving, for an authorization whose time is over. */
  async find(payment: NewPayment, options: FindOptions = {}): Promise<Reservation> {
    const { id = paymentKey(payment) } = options;
    const [row] = await this.database.query(this.sql.find, [id]) as FoundRow[];
    if (row === undefined) return { kind: "absent" };
    if (!heldStates.includes(row.state as HeldState)) {
      return await this.#continue(row, payment, options);
    }
    if (row.lapsed !== 1) return { kind: "in_flight" };
    // Its holder is dead. Whoever comes first says so; then the row speaks for itself.
    await this.database.query(this.sql.lapseOne, [id, row.fence]);
    return await this.find(payment, options);
  }

  /** @throws {HoldLost} */
  async move(hold: Hold, to: PaymentState, details: MoveDetails = {}): Promise<void> {
    const { sql, keepsClaim, holds, countsDeliveries } = this.sql.moves[to];
    const { reason, transaction, executions = 0, claim } = details;
    const values: SqlValue[] = [executions, reason ?? null, transaction ?? null];
    if (keepsClaim) values.push(claim ?? null);
    if (holds) values.push(this.settings.leaseMs);
    else this.#leases.forget(hold);
    if (countsDeliveries) values.push(executions);
    const rows = await this.database.query(sql, [...values, hold.id, hold.fence]);
    if (rows.length > 0) return;
    // A move whose answer was lost may have been carried out, and is made once more.
    const [row] = await this.database.query(this.sql.find, [hold.id]);
    if (row?.fence === hold.fence && row.state === to) return;
    this.#leases.forget(hold);
    throw new HoldLost(`${hold.id} cannot become ${to}: it has changed hands`);
  }

  /** Lets go of a hold without a move, after the database was lost: its lease runs out. */
  abandon(hold: Hold): void {
    this.#leases.forget(hold);
  }

  async keepReply({ id }: Hold, { status, headers, body }: KeptReply): Promise<void> {
    await this.database.query(this.sql.keepReply, [id, status, JSON.stringify(headers), body]);
  }

  /** The reply of a payment, by the payment's key. */
  async findReply(id: string): Promise<KeptReply | undefined> {
    const [row] = await this.database.query(this.sql.findReply, [id]);
    if (row === undefined) return undefined;
    return {
      status: row.status as number,
      headers: JSON.parse(row.headers as string),
      body: new Uint8Array(row.body as Uint8Array),
    };
  }

  /** Says that the holder is alive; false when the payment has changed hands. */
  async renew({ id, fence }: Hold): Promise<boolean> {
    const values = [this.settings.leaseMs, id, fence];
    return (await this.database.query(this.sql.renew, values)).length > 0;
  }

  /** Says so of all payments that this process holds, as after a time in which it could not. */
  async renewAll(): Promise<void> {
    await this.#leases.renewAll();
  }

  /** Keys of the payments that this process holds. */
  held(): string[] {
    return this.#leases.held();
  }

  /** Leases are not renewed any more. */
  close(): void {
    this.#leases.close();
  }

  /** A row that nobody holds. */
  async #continue(row: FoundRow, payment: NewPayment, options: FindOptions): Promise<Reservation> {
    const sameRequest = isBoundTo(row, payment) && row.request_digest === payment.requestDigest;
    // The signature is on the chain once it is settled; the name that its buyer gave it is not.
    const sameBuyer = (options.proven === true || row.proof === payment.proof) &&
      (row.identifier ?? undefined) === payment.identifier;
    switch (row.state) {
      case "rejected":
      case "released":
        return row.executions === 0 ? { kind: "absent" } : { kind: "used", delivered: false };
      case "delivered":
        return { kind: "used", delivered: sameRequest && sameBuyer };
      case "undelivered":
        if (!sameBuyer) return { kind: "used", delivered: false };
        if (row.request_digest === null) return { kind: "lost" };
        return sameRequest
          ? await this.#fetchAgain(row, payment, options)
          : { kind: "bound_elsewhere" };
      default: {
        const chargeable = options.mayCharge === true && row.proof === payment.proof && sameBuyer;
        return sameRequest && chargeable ? await this.#settleAgain(row) : { kind: "unknown" };
      }
    }
  }

  async #fetchAgain(
    { id, fence }: FoundRow,
    payment: NewPayment,
    options: FindOptions,
  ): Promise<Reservation> {
    const { leaseMs, redeliveries, redeliveryMs } = this.settings;
    const values = [this.owner, leaseMs, id, fence, redeliveries, redeliveryMs];
    const [row] = await this.database.query(this.sql.fetchAgain, values);
    if (row !== undefined) {
      const transaction = (row.transaction_hash as string | null) ?? undefined;
      return { kind: "fetch_again", hold: this.#hold(id, row), transaction };
    }
    const [now] = await this.database.query(this.sql.find, [id]);
    // Unchanged, so it was refused for its age or the number of attempts; else a copy was faster.
    if (now?.fence === fence) return { kind: "lost" };
    return await this.find(payment, options);
  }

  async #settleAgain({ id, fence, state }: FoundRow): Promise<Reservation> {
    const values = [this.owner, this.settings.leaseMs, id, fence];
    const [row] = await this.database.query(this.sql.settleAgain, values);
    if (row === undefined) return { kind: "unknown" };
    return {
      kind: "settle_again",
      hold: this.#hold(id, row),
      from: state as "executed" | "unknown",
    };
  }

  #hold(id: string, row: SqlRow): Hold {
    const hold = { id, fence: row.fence as number };
    this.#leases.keep(hold);
    return hold;
  }
}

type FoundRow = SqlRow & {
  readonly id: string;
  readonly state: PaymentState;
  readonly fence: number;
  readonly executions: number;
  readonly request_digest: string | null;
  readonly identifier: string | null;
};

function isBoundTo(
  row: SqlRow,
  { route, path, httpMethod, host, amount }: PaymentBinding,
): boolean {
  return row.route === route && row.path === path && row.http_method === httpMethod &&
    row.host === host && row.amount === String(amount);
}

/** Of a uint256, what fits into the column: later than anybody will ask. */
const latest = BigInt(Number.MAX_SAFE_INTEGER);

function insertValues(id: string, payment: NewPayment, owner: string): SqlValue[] {
  const { validBefore } = payment;
  const values: Record<(typeof insertColumns)[number], SqlValue> = {
    id,
    network: payment.network,
    asset: payment.asset,
    transfer_method: payment.transferMethod,
    payer: payment.payer,
    nonce: payment.nonce,
    amount: String(payment.amount),
    price: payment.price,
    pay_to: payment.payTo,
    route: payment.route,
    path: payment.path,
    http_method: payment.httpMethod,
    host: payment.host,
    facilitator_url: payment.facilitatorUrl,
    valid_before: Number(validBefore < latest ? validBefore : latest),
    proof: payment.proof,
    request_digest: payment.requestDigest ?? null,
    identifier: payment.identifier ?? null,
    owner,
  };
  return insertColumns.map((column) => values[column]);
}
