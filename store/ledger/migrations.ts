import type { SqlDatabase, SqlDialect } from "./sql_database.ts";

/**
 * The schema, step by step. A step that has been released is never changed: what is to be different
 * is a new step at the end.
 */
const steps: readonly ((dialect: SqlDialect) => readonly string[])[] = [
  ({ integer, uint256, bytes }) => [
    // The identity comes apart in columns as well, for people who query the table themselves.
    `CREATE TABLE payments (
      id TEXT PRIMARY KEY,
      network TEXT NOT NULL,
      asset TEXT NOT NULL,
      transfer_method TEXT NOT NULL,
      payer TEXT NOT NULL,
      nonce TEXT NOT NULL,
      amount ${uint256} NOT NULL,
      price TEXT NOT NULL,
      pay_to TEXT NOT NULL,
      route TEXT NOT NULL,
      path TEXT NOT NULL,
      http_method TEXT NOT NULL,
      host TEXT NOT NULL,
      facilitator_url TEXT NOT NULL,
      valid_before ${integer} NOT NULL,
      proof TEXT NOT NULL,
      request_digest TEXT,
      identifier TEXT,
      state TEXT NOT NULL,
      is_open ${integer} NOT NULL,
      reason TEXT,
      transaction_hash TEXT,
      executions ${integer} NOT NULL,
      redeliveries ${integer} NOT NULL,
      owner TEXT NOT NULL,
      fence ${integer} NOT NULL,
      lease_until ${integer} NOT NULL,
      claim TEXT,
      unused_at ${integer},
      checks ${integer} NOT NULL,
      next_check_at ${integer} NOT NULL,
      created_at ${integer} NOT NULL,
      updated_at ${integer} NOT NULL,
      settled_at ${integer}
    )`,
    `CREATE INDEX payments_by_time ON payments (created_at)`,
    // Few rows are open at any time, so finding them costs nothing however large the table is. A
    // column of its own, because moves from one open state to another need not touch the index then.
    `CREATE INDEX payments_open ON payments (created_at) WHERE is_open = 1`,
    `CREATE INDEX payments_unused ON payments (updated_at)
      WHERE executions = 0 AND state IN ('rejected', 'released')`,
    `CREATE TABLE payment_identifiers (
      key TEXT PRIMARY KEY,
      payment_id TEXT NOT NULL,
      request_digest TEXT NOT NULL,
      created_at ${integer} NOT NULL
    )`,
    `CREATE INDEX payment_identifiers_by_time ON payment_identifiers (created_at)`,
    `CREATE TABLE payment_replies (
      payment_id TEXT PRIMARY KEY,
      status ${integer} NOT NULL,
      headers TEXT NOT NULL,
      body ${bytes} NOT NULL,
      created_at ${integer} NOT NULL
    )`,
    `CREATE INDEX payment_replies_by_time ON payment_replies (created_at)`,
  ],
];

/** The newest schema that this program knows. */
export const schemaVersion = steps.length;

/** The ledger was written by a newer program, which may mean other things by what is in it. */
export class NewerSchema extends Error {
  override readonly name = "NewerSchema";

  constructor(found: number, known: number) {
    super(
      `the ledger has schema version ${found}, and this program knows up to ${known}; ` +
        "run the version that wrote it, or a later one",
    );
  }
}

/**
 * Brings the schema up to date; replicas that start together do it one after the other.
 * @throws {NewerSchema}
 */
export async function migrate(database: SqlDatabase, target = schemaVersion): Promise<void> {
  await database.exclusively(async (run) => {
    await run("CREATE TABLE IF NOT EXISTS ledger_schema (version INTEGER NOT NULL)");
    const [row] = await run("SELECT version FROM ledger_schema");
    const found = Number(row?.version ?? 0);
    if (!Number.isInteger(found)) {
      throw new Error(
        "the version of the ledger's schema is no number; some other program wrote it",
      );
    }
    if (found > target) {
      throw new NewerSchema(found, target);
    }
    if (found === target) return;
    for (const step of steps.slice(found, target)) {
      for (const statement of step(database.dialect)) await run(statement);
    }
    await run("DELETE FROM ledger_schema");
    await run("INSERT INTO ledger_schema VALUES (?)", [target]);
  });
}
