import type { PaymentRecord } from "./payment_record.ts";
import type { PaymentState } from "./payment_state.ts";
import type { SqlDatabase, SqlRow, SqlValue } from "./sql_database.ts";

/** Which payments are asked for; what is left out does not matter. Times in ms since 1970. */
export interface PaymentFilter {
  /** `namespace/name` of the X402Route. */
  readonly route?: string;
  readonly payer?: string;
  readonly states?: readonly PaymentState[];
  /** Begun at or after. */
  readonly since?: number;
  /** Begun before. */
  readonly until?: number;
}

/** Rows that are read at a time: a table of any size must not become memory. */
const pageSize = 1_000;

/** What the ledger tells people; it only reads. */
export class PaymentHistory {
  constructor(private readonly database: Pick<SqlDatabase, "query">) {}

  /**
   * Oldest first. A payment occurs once, even while others write: what it is ordered by never changes.
   */
  async *list(filter: PaymentFilter = {}): AsyncGenerator<PaymentRecord> {
    const { conditions, values } = whereClause(filter);
    let after: readonly [createdAt: number, id: string] = [-1, ""];
    for (;;) {
      // As one comparison of pairs it can begin in the index on the time. With an OR instead, each
      // page reads and sorts all that are left, and a list takes the square of its length.
      const rows = await this.database.query(
        `SELECT * FROM payments WHERE (created_at, id) > (?, ?)${conditions}
          ORDER BY created_at, id LIMIT ${pageSize}`,
        [...after, ...values],
      );
      for (const row of rows) yield toRecord(row);
      const last = rows.at(-1);
      if (last === undefined || rows.length < pageSize) return;
      after = [last.created_at as number, last.id as string];
    }
  }

  /** Payments whose key, nonce or transaction is this text, in upper or lower case; oldest first. */
  async show(text: string): Promise<PaymentRecord[]> {
    const lower = text.toLowerCase();
    const rows = await this.database.query(
      `SELECT * FROM payments WHERE id = ? OR nonce = ? OR lower(transaction_hash) = ?
        ORDER BY created_at, id`,
      [lower, lower, lower],
    );
    return rows.map(toRecord);
  }
}

function whereClause(filter: PaymentFilter): { conditions: string; values: SqlValue[] } {
  const { route, payer, states, since, until } = filter;
  const parts: [string, SqlValue[]][] = [];
  if (route !== undefined) parts.push(["route = ?", [route]]);
  if (payer !== undefined) parts.push(["payer = ?", [payer.toLowerCase()]]);
  if (states !== undefined) {
    parts.push([`state IN (${states.map(() => "?").join(", ") || "NULL"})`, [...states]]);
  }
  if (since !== undefined) parts.push(["created_at >= ?", [since]]);
  if (until !== undefined) parts.push(["created_at < ?", [until]]);
  return {
    conditions: parts.map(([condition]) => ` AND ${condition}`).join(""),
    values: parts.flatMap(([, values]) => values),
  };
}

/** A row of the table `payments`. */
export function toRecord(row: SqlRow): PaymentRecord {
  const text = (column: string) => row[column] as string;
  const number = (column: string) => row[column] as number;
  return {
    id: text("id"),
    network: text("network"),
    asset: text("asset"),
    transferMethod: text("transfer_method") as PaymentRecord["transferMethod"],
    payer: text("payer"),
    nonce: text("nonce"),
    amount: BigInt(text("amount")),
    price: text("price"),
    payTo: text("pay_to"),
    route: text("route"),
    path: text("path"),
    httpMethod: text("http_method"),
    host: text("host"),
    facilitatorUrl: text("facilitator_url"),
    validBefore: BigInt(number("valid_before")),
    state: text("state") as PaymentState,
    reason: (row.reason as string | null) ?? undefined,
    transaction: (row.transaction_hash as string | null) ?? undefined,
    executions: number("executions"),
    createdAt: number("created_at"),
    updatedAt: number("updated_at"),
    settledAt: (row.settled_at as number | null) ?? undefined,
  };
}
