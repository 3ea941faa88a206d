import { ledgerOn } from "../../store/ledger/ledger.ts";
import { migrate } from "../../store/ledger/migrations.ts";
import { SqliteDatabase } from "../../store/ledger/sqlite_database.ts";
import { newPayment } from "../../store/ledger/test_payment.ts";
import { type MeasureResult, spreadOf, summarize } from "./measure_result.ts";

const samples = 3_000;

/** The name of the measure with that many payments on record. */
export function ledgerName(rows: number): string {
  return `ledger: writes of a paid request, ${rows} rows`;
}

/**
 * The writes of paid requests, one after the other, in an SQLite file that holds `rows` payments: the
 * reservation, the four writes that a reply waits for, and CPU of all five.
 */
export async function measureLedger(rows: number): Promise<MeasureResult> {
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
    return summarize(ledgerName(rows), [{
      reserveP50: spreadOf(reserve).median,
      writesP50: spreadOf(writes).median,
      writesCpu: (user + system) / 1_000 / samples,
    }]);
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
