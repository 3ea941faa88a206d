import { ledgerOn } from "../../store/ledger/ledger.ts";
import { migrate } from "../../store/ledger/migrations.ts";
import { SqliteDatabase } from "../../store/ledger/sqlite_database.ts";
import { newPayment } from "../../store/ledger/test_payment.ts";

/** Time of the four writes that a paid reply waits for, and CPU of all five, in ms. */
export interface LedgerCost {
  readonly rows: number;
  readonly reserveP50: number;
  readonly writesP50: number;
  readonly cpu: number;
}

const samples = 3_000;

/** The writes of paid requests, one after the other, in an SQLite file that holds `rows` payments. */
export async function measureLedger(rows: number): Promise<LedgerCost> {
  const folder = await Deno.makeTempDir({ prefix: "x402_bench_" });
  try {
    const database = new SqliteDatabase(`${folder}/payments.db`);
    await migrate(database);
    await fill(database, rows);
    const { payments } = ledgerOn(database, "bench");
    const reserve: number[] = [];
    const writes: number[] = [];
    const cpuBefore = process.cpuUsage();
    for (let i = 0; i < samples; i++) {
      const start = performance.now();
      const reservation = await payments.reserve(newPayment());
      if (reservation.kind !== "reserved") throw new Error(`a new payment is ${reservation.kind}`);
      const { hold } = reservation;
      reserve.push(performance.now() - start);
      await payments.move(hold, "verified", { executions: 1 });
      await payments.move(hold, "settling", { claim: "x".repeat(1_500) });
      await payments.move(hold, "settled", { transaction: `0x${"5e".repeat(32)}` });
      writes.push(performance.now() - start);
      await payments.move(hold, "delivered");
    }
    const { user, system } = process.cpuUsage(cpuBefore);
    payments.close();
    await database.close();
    return {
      rows,
      reserveP50: median(reserve),
      writesP50: median(writes),
      cpu: (user + system) / 1_000 / samples,
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Delivered payments, made by the database itself: one by one would take minutes. */
async function fill(database: SqliteDatabase, rows: number): Promise<void> {
  const { payments } = ledgerOn(database, "bench");
  const reservation = await payments.reserve(newPayment());
  if (reservation.kind !== "reserved") throw new Error("the first payment is not new");
  await payments.move(reservation.hold, "released");
  payments.close();
  const columns = (await database.query("SELECT name FROM pragma_table_info('payments')"))
    .map(({ name }) => String(name)).filter((name) => name !== "id" && name !== "nonce");
  await database.query(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
      INSERT INTO payments (id, nonce, ${columns.join(", ")})
      SELECT 'eip155:84532/token/eip3009/payer/0x' || hex(randomblob(32)), hex(randomblob(32)),
        ${columns.join(", ")} FROM n, (SELECT * FROM payments LIMIT 1) WHERE i <= ?`,
    [rows, rows],
  );
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
