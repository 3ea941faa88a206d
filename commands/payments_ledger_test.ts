/** Which ledgers are read, and how the command ends when there is nothing to print. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SqliteDatabase } from "../store/ledger/sqlite_database.ts";
import { parseCsv } from "../tests/support/csv.ts";
import { day1, onLedger, payments, printed } from "../tests/support/payments_command.ts";
import type { RecordedPayment } from "../tests/support/recorded_payments.ts";
import { runCommand } from "../tests/support/run_command.ts";

Deno.test("a ledger without payments", async () => {
  await onLedger([], async (run) => {
    for (const what of ["list", "sum"]) {
      const { code, stdout, stderr } = await run(what);
      assert.deepEqual([code, stdout], [0, ""]);
      assert.equal(stderr, "There are no such payments in the ledger.\n");
      assert.equal(printed(await run(what, "-o", "json")), "[]\n");
      assert.equal(parseCsv(printed(await run(what, "-o", "csv"))).length, 1);
    }
  });
});

Deno.test("only a ledger of this version is read, and nothing is changed in it", async () => {
  await onLedger([], async (run, path) => {
    const database = new SqliteDatabase(path);
    for (
      const [change, expectedCode, says] of [
        [
          "UPDATE ledger_schema SET version = 99",
          1,
          /schema version 99, and this program knows up/,
        ],
        ["UPDATE ledger_schema SET version = 0", 1, /schema version 0, .* start a gateway of this/],
        [
          "UPDATE ledger_schema SET version = 'first'",
          2,
          /--ledger: the version of its schema is no number/,
        ],
        ["DROP TABLE ledger_schema", 2, /no ledger in it/],
      ] as const
    ) {
      await database.query(change);
      const { code, stdout, stderr } = await run("list");
      assert.deepEqual([code, stdout], [expectedCode, ""], stderr);
      assert.match(stderr, says);
      assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
    }
    const tables = await database.query("SELECT name FROM sqlite_master WHERE name LIKE '%schema'");
    assert.deepEqual(tables, []);
    await database.close();
  });
});

Deno.test("a file that is not a database", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, "some text, but not that of an SQLite file");
  const { code, stderr } = await runCommand(["payments", "list", "--ledger", path]);
  assert.deepEqual([code, stderr], [2, `error: --ledger: ${path}: file is not a database\n`]);
  assert.equal(await Deno.readTextFile(path), "some text, but not that of an SQLite file");
  await Deno.remove(path);
});

Deno.test("a ledger without a gateway is not made into one", async () => {
  const folder = await Deno.makeTempDir();
  const ledger = join(folder, "ledger.db");
  assert.equal((await runCommand(["payments", "list", "--ledger", ledger])).code, 2);
  assert.deepEqual([...Deno.readDirSync(folder)], []);
  await Deno.remove(folder);
});

Deno.test("a gateway that writes and a reader do not get in each other's way", async () => {
  await onLedger(payments, async (run, path) => {
    const gateway = new SqliteDatabase(path);
    const writing = new AbortController();
    const writes = (async () => {
      let count = 0;
      for (; !writing.signal.aborted; count++) {
        await gateway.query("UPDATE payments SET updated_at = ? WHERE nonce = '0xa1'", [count]);
        if (count % 100 === 0) await new Promise((go) => setTimeout(go));
      }
      return count;
    })();
    assert.equal(JSON.parse(printed(await run("list", "-o", "json"))).length, payments.length);
    writing.abort();
    assert.ok(await writes > 100);
    await gateway.close();
  });
});

Deno.test("| head: what is read no more ends quietly", async () => {
  const many = Array.from({ length: 2_000 }, (_, i): RecordedPayment => (
    { state: "delivered", at: day1 + i, reason: "x".repeat(100) }
  ));
  await onLedger(many, async (_, path) => {
    const main = fileURLToPath(new URL("../main.ts", import.meta.url));
    for (const output of ["table", "json", "csv"]) {
      const args = ["run", "-A", main, "payments", "list", "--ledger", path, "-o", output];
      const child = new Deno.Command(Deno.execPath(), { args, stdout: "piped", stderr: "piped" })
        .spawn();
      const reader = child.stdout.getReader();
      await reader.read();
      await reader.cancel();
      const stderr = await new Response(child.stderr).text();
      assert.deepEqual([(await child.status).code, stderr], [0, ""], output);
    }
  });
});
