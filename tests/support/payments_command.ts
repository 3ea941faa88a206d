/** The command `payments` on a ledger that a gateway has written. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { SqliteDatabase } from "../../store/ledger/sqlite_database.ts";
import { type RecordedPayment, writeLedger } from "./recorded_payments.ts";
import { type CommandOutput, runCommand } from "./run_command.ts";

export const ada = `0x${"a".repeat(40)}`;
export const bob = `0x${"b".repeat(40)}`;
export const usdc = {
  network: "eip155:84532",
  asset: "0x036cbd53842c5426634e7929541ec2318f3dcf7e",
};
export const ether = { network: "eip155:1", asset: `0x${"e".repeat(40)}` };
export const day1 = Date.parse("2026-11-01T23:59:59.999Z");
export const day2 = Date.parse("2026-11-02T00:00:00.000Z");
export const day3 = Date.parse("2026-11-03T12:00:00.000Z");
export const transaction = `0x${"5e".repeat(32)}`;
/** A formula, an escape sequence in both spellings (C0, C1), a turn of direction and two lines. */
export const strangeReason = '=cmd|"/c calc"!A1,\u001b[2J\u009b2J\u202e\r\nsecond line';

/** Named by their nonces, not in the order of their times. */
export const payments: readonly RecordedPayment[] = [
  { nonce: "0xc3", state: "verified", at: day3, payer: bob },
  {
    ...{ nonce: "0xa1", state: "delivered", at: day1, payer: ada, ...usdc, transaction },
    ...{ amount: 1n, price: "0.000001" },
  },
  {
    ...{ nonce: "0xb2", state: "undelivered", at: day2, payer: ada, ...ether },
    ...{ route: "default/art", amount: 1n, price: "0.000000000000000001" },
    // Facilitators write it as they like.
    transaction: transaction.toUpperCase().replace("0X", "0x"),
  },
  {
    ...{ nonce: "0xb3", state: "settled", at: day2 + 1, payer: bob, ...usdc },
    ...{ amount: 2_500_000n, price: "2.5" },
  },
  {
    ...{ nonce: "0xb4", state: "rejected", at: day2 + 2, payer: ada, ...usdc },
    reason: strangeReason,
  },
  { nonce: "0xb5", state: "delivered", at: day2 + 3, ...ether, amount: 10n ** 18n, price: "1" },
];

/** Runs `payments ...args` on a new SQLite ledger. */
export async function onLedger<T>(
  recorded: readonly RecordedPayment[],
  work: (run: (...args: string[]) => Promise<CommandOutput>, path: string) => Promise<T>,
): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "payments-" });
  try {
    const path = join(folder, "ledger.db");
    const database = new SqliteDatabase(path);
    await writeLedger(database, recorded);
    // It stays open, as a gateway would have it.
    const result = await work(
      (...args) => runCommand(["payments", ...args, "--ledger", path]),
      path,
    );
    await database.close();
    return result;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What went well: its standard output. */
export function printed({ code, stdout, stderr }: CommandOutput): string {
  assert.deepEqual([code, stderr], [0, ""]);
  return stdout;
}
