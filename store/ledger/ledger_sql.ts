import {
  afterLapse,
  comesFrom,
  type HeldState,
  heldStates,
  openStates,
  type PaymentState,
  paymentStates,
} from "./payment_state.ts";
import type { SqlDialect } from "./sql_database.ts";

/**
 * The statements of the ledger, one of which is one atomic step. A row is changed only by who knows
 * its fence, a number that grows each time it changes hands: a holder that was taken for dead and
 * comes back finds its number gone, and stops.
 */
export class LedgerSql {
  readonly reserve: string;
  readonly find: string;
  readonly fetchAgain: string;
  readonly settleAgain: string;
  readonly moves: Readonly<Record<PaymentState, MoveStatement>>;
  readonly renew: string;
  readonly lapse: string;
  readonly lapseOne: string;
  readonly voidExecuted: string;
  readonly takeDoubtful: string;
  readonly foundUnused: string;
  readonly countOpen: string;
  readonly resolve: string;
  readonly claimIdentifier: string;
  readonly findIdentifier: string;
  readonly rebindIdentifier: string;
  readonly keepReply: string;
  readonly findReply: string;
  readonly prune: string;
  readonly pruneUnused: string;
  readonly pruneIdentifiers: string;
  readonly pruneReplies: string;

  constructor({ now }: SqlDialect) {
    this.reserve = `INSERT INTO payments (${insertColumns.join(", ")}, state, is_open, executions,
        redeliveries, fence, checks, next_check_at, lease_until, created_at, updated_at)
      VALUES (${insertColumns.map(() => "?").join(", ")}, 'reserved', 1, 0, 0, 1, 0, 0,
        ${now} + ?, ${now}, ${now})
      ON CONFLICT (id) DO UPDATE SET
        ${rebound.map((column) => `${column} = excluded.${column}`).join(", ")},
        ${stateIs("reserved")}, fence = payments.fence + 1, reason = NULL,
        lease_until = excluded.lease_until, created_at = excluded.created_at,
        updated_at = excluded.updated_at
      WHERE (payments.state IN ('rejected', 'released') AND payments.executions = 0)
        OR (payments.state = 'reserved' AND payments.lease_until <= ${now})
      RETURNING fence`;
    this.find = `SELECT *, CASE WHEN lease_until <= ${now} THEN 1 ELSE 0 END AS lapsed
      FROM payments WHERE id = ?`;
    const taken = `owner = ?, lease_until = ${now} + ?, fence = fence + 1, updated_at = ${now}`;
    this.fetchAgain = `UPDATE payments SET ${stateIs("settled")}, ${taken},
        executions = executions + 1, redeliveries = redeliveries + 1
      WHERE id = ? AND fence = ? AND state = 'undelivered' AND redeliveries < ?
        AND settled_at > ${now} - ?
      RETURNING fence, transaction_hash`;
    this.settleAgain = `UPDATE payments SET ${stateIs("settling")}, ${taken}, unused_at = NULL
      WHERE id = ? AND fence = ? AND (state = 'executed' OR (state = 'unknown' AND unused_at IS NOT NULL))
      RETURNING fence`;
    const moves = paymentStates.map((to) => [to, new MoveStatement(to, now)]);
    this.moves = Object.fromEntries(moves);
    this.renew = `UPDATE payments SET lease_until = ${now} + ? WHERE id = ? AND fence = ?
      AND state IN (${quoted(heldStates)}) RETURNING fence`;
    this.lapse = lapseStatement(now, isOpen);
    this.lapseOne = lapseStatement(now, "id = ? AND fence = ?");
    this.voidExecuted = `UPDATE payments SET ${stateIs("released")}, reason = 'not settled in
        time', claim = NULL, fence = fence + 1, updated_at = ${now}
      WHERE ${isOpen} AND state = 'executed' AND (valid_before * 1000 < ${now} OR updated_at < ${now} - ?)
      RETURNING id`;
    this.takeDoubtful = `UPDATE payments SET checks = checks + 1,
        next_check_at = ${now} + ? *
          CASE WHEN checks < 6 THEN checks + 1 WHEN checks < 20 THEN 60 ELSE 720 END
      WHERE next_check_at <= ${now} AND state = 'unknown' AND id IN (
        SELECT id FROM payments WHERE ${isOpen} AND state = 'unknown' AND next_check_at <= ${now}
        ORDER BY checks, next_check_at LIMIT ?)
      RETURNING *`;
    this.foundUnused = `UPDATE payments SET unused_at = ${now}
      WHERE id = ? AND fence = ? AND state = 'unknown' AND updated_at <= ${now} - ? RETURNING id`;
    this.countOpen = `SELECT state, count(*) AS count FROM payments WHERE ${isOpen} GROUP BY state`;
    this.resolve =
      `UPDATE payments SET state = ?, is_open = 0, reason = ?, transaction_hash = ?, claim = NULL,
        settled_at = CASE WHEN ? = 1 THEN ${now} ELSE NULL END,
        fence = fence + 1, updated_at = ${now}
      WHERE id = ? AND fence = ? AND state = 'unknown' RETURNING id`;
    this.claimIdentifier = `INSERT INTO payment_identifiers VALUES (?, ?, ?, ${now})
      ON CONFLICT (key) DO NOTHING RETURNING key`;
    this.findIdentifier = `SELECT payment_id, request_digest FROM payment_identifiers
      WHERE key = ?`;
    this.rebindIdentifier = `UPDATE payment_identifiers SET payment_id = ?, request_digest = ?,
      created_at = ${now} WHERE key = ? AND payment_id = ? RETURNING key`;
    this.keepReply = `INSERT INTO payment_replies VALUES (?, ?, ?, ?, ${now})
      ON CONFLICT (payment_id) DO NOTHING`;
    this.findReply = `SELECT status, headers, body FROM payment_replies WHERE payment_id = ?`;
    const over = `< ${now} - ?`;
    // No row is younger than its creation, by which there is an index.
    this.prune = deleteSome(
      "payments",
      "id",
      `created_at ${over} AND updated_at ${over} AND (valid_before + 3600) * 1000 < ${now}
        AND is_open = 0`,
    );
    this.pruneUnused = deleteSome(
      "payments",
      "id",
      `updated_at ${over} AND executions = 0 AND state IN ('rejected', 'released')`,
    );
    this.pruneIdentifiers = deleteSome("payment_identifiers", "key", `created_at ${over}`);
    this.pruneReplies = deleteSome("payment_replies", "payment_id", `created_at ${over}`);
  }
}

/** Columns whose values come with a new payment, in this order. */
export const insertColumns = [
  ...["id", "network", "asset", "transfer_method", "payer", "nonce", "amount", "price", "pay_to"],
  ...["route", "path", "http_method", "host", "facilitator_url", "valid_before", "proof"],
  ...["request_digest", "identifier", "owner"],
] as const;

/** Of those, what a payment that was never used gives up when it is reserved anew. */
const rebound = insertColumns.slice(insertColumns.indexOf("amount"));

/**
 * In these words the partial index on open rows is declared, and SQLite uses it only for queries that
 * say the same: without it, each look at what is open would read the whole table.
 */
const isOpen = "is_open = 1";

/** What is written with a state. */
function stateIs(state: PaymentState): string {
  return `state = '${state}', is_open = ${openStates.includes(state) ? 1 : 0}`;
}

/** One move of the state machine, refused by the database where the row is not in a state for it. */
export class MoveStatement {
  readonly sql: string;
  readonly holds: boolean;
  readonly countsDeliveries: boolean;
  /**
   * What it takes to ask the facilitator again is kept as long as that may be needed, and no longer:
   * it holds the buyer's signature.
   */
  readonly keepsClaim: boolean;

  constructor(to: PaymentState, now: string) {
    this.holds = heldStates.includes(to as HeldState);
    this.countsDeliveries = to === "undelivered";
    this.keepsClaim = ["settling", "executed", "unknown"].includes(to);
    const changes = [
      stateIs(to),
      "executions = executions + ?",
      "reason = coalesce(?, reason)",
      "transaction_hash = coalesce(?, transaction_hash)",
      `claim = ${this.keepsClaim ? "coalesce(?, claim)" : "NULL"}`,
      `lease_until = ${this.holds ? `${now} + ?` : "0"}`,
      `updated_at = ${now}`,
    ];
    if (to === "settled") changes.push(`settled_at = coalesce(settled_at, ${now})`);
    // An attempt that did not get as far as the backend is none.
    if (this.countsDeliveries) {
      changes.push(
        "redeliveries = redeliveries - CASE WHEN ? < 0 AND redeliveries > 0 THEN 1 ELSE 0 END",
      );
    }
    if (to === "unknown") changes.push("checks = 0", "unused_at = NULL", `next_check_at = ${now}`);
    this.sql = `UPDATE payments SET ${changes.join(", ")}
      WHERE id = ? AND fence = ? AND state IN (${quoted(comesFrom[to])}) RETURNING fence`;
  }
}

function lapseStatement(now: string, which: string): string {
  const cases = heldStates.map((state) => `WHEN '${state}' THEN '${afterLapse[state]}'`).join(" ");
  // Of these, only a settlement in doubt is still open.
  return `UPDATE payments SET state = CASE state ${cases} ELSE state END,
      is_open = CASE state WHEN 'settling' THEN 1 ELSE 0 END, reason = 'interrupted',
      settled_at = CASE WHEN state = 'settled' THEN coalesce(settled_at, ${now}) ELSE settled_at END,
      fence = fence + 1, lease_until = 0, next_check_at = ${now}, updated_at = ${now}
    WHERE ${which} AND lease_until <= ${now} AND state IN (${quoted(heldStates)})
    RETURNING id, state`;
}

/** A bounded piece at a time, so that a long overdue clean-up holds nobody up. */
function deleteSome(table: string, key: string, condition: string): string {
  return `DELETE FROM ${table} WHERE ${key} IN (
    SELECT ${key} FROM ${table} WHERE ${condition} LIMIT ?) RETURNING ${key}`;
}

function quoted(states: readonly string[]): string {
  return states.map((state) => `'${state}'`).join(", ");
}
