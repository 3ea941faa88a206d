import assert from "node:assert/strict";
import { PostgresDatabase } from "../store/ledger/postgres_database.ts";
import { postgresTest } from "../tests/rig/test_postgres.ts";
import {
  day3,
  ether,
  onLedger,
  payments,
  printed,
  transaction,
} from "../tests/support/payments_command.ts";
import { type RecordedPayment, writeLedger } from "../tests/support/recorded_payments.ts";
import { runCommand } from "../tests/support/run_command.ts";

const largest = (2n ** 256n - 1n).toString();
const rich: RecordedPayment = {
  ...{ nonce: "0xb6", state: "delivered", at: day3, ...ether },
  ...{ amount: BigInt(largest), price: largest },
};
const recorded = [...payments, rich].map((payment): RecordedPayment => (
  { ...payment, validBefore: 1_800_000_000n }
));

postgresTest("payments on PostgreSQL: the same as on SQLite", async (postgres) => {
  const ledger = await postgres.createDatabase();
  const onPostgres = (...args: string[]) => runCommand(["payments", ...args, "--ledger", ledger]);
  const none = await onPostgres("list");
  assert.deepEqual([none.code, none.stdout], [2, ""]);
  assert.match(none.stderr, /^error: --ledger: the database has no ledger in it .*\n$/);

  const database = new PostgresDatabase(ledger);
  await writeLedger(database, recorded);
  await onLedger(recorded, async (onSqlite) => {
    for (
      const args of [
        ["list", "-o", "json"],
        [
          "list",
          "-o",
          "csv",
          "--state",
          "charged",
          "--since",
          "2026-11-02",
          "--route",
          "shop/prices",
        ],
        ["sum", "-o", "json", "--by", "day,payer,route,state", "--state", "all"],
        ["show", transaction],
      ]
    ) assert.equal(printed(await onPostgres(...args)), printed(await onSqlite(...args)));
  });
  await database.query("UPDATE ledger_schema SET version = 99");
  const newer = await onPostgres("sum");
  assert.equal(newer.code, 1);
  assert.match(newer.stderr, /^error: the ledger has schema version 99, .*\n$/);
  await database.close();
});

Deno.test("a PostgreSQL server that is not there: one line, without the password", async () => {
  const ledger = "postgres://gateway:secret@127.0.0.1:1/ledger";
  const { code, stdout, stderr } = await runCommand(["payments", "sum", "--ledger", ledger]);
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /^error: the ledger cannot be read: connect ECONNREFUSED 127.0.0.1:1\n$/);
});
