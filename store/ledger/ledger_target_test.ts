import assert from "node:assert/strict";
import { checkTarget, isPostgres } from "./ledger_target.ts";

Deno.test("names of ledgers", () => {
  for (
    const target of [
      "postgres://u:p%23w@127.0.0.1:5432/db",
      "POSTGRESQL://u:p@db.example/payments?sslmode=require",
      "postgres://u:p@/db?host=/run/postgresql",
      "postgres://u:p@%2Frun%2Fpostgresql/db",
      "postgres://[::1]/db",
      "postgres:///db",
    ]
  ) {
    checkTarget(target);
    assert.ok(isPostgres(target), target);
  }
  for (const path of ["payments.db", "/var/lib/x402/payments.db", "./a b/postgres.db", "a=b.db"]) {
    checkTarget(path);
    assert.ok(!isPostgres(path), path);
  }
});

Deno.test("what names no ledger is refused without being shown", () => {
  for (
    const target of [
      "",
      " ",
      ":memory:",
      "file:SECRET",
      "FILE:///SECRET",
      "mysql://u:SECRET@h/db",
      "jdbc:postgresql://h/db?password=SECRET",
      "postgres+ssl://u:SECRET@h/db",
      "postgres:/u:SECRET@h/db",
      "dbname=x password=SECRET",
      "password = SECRET",
      "postgres://u:SECRET#x@127.0.0.1/db",
      // The part before the sign would be taken for a port, the rest for a database or nothing.
      "postgres://u:12#SECRET@127.0.0.1/db",
      "postgres://u:12/SECRET@127.0.0.1/db",
      "postgres://u:12?SECRET@127.0.0.1/db",
      "postgres://u:p@127.0.0.1/db#SECRET",
      "postgres://u:SECRET%zz@127.0.0.1/db",
      "postgres://u:SECRET@127.0.0.1:99999/db",
      "postgres://u:SECRET@h1:1,h2:2/db",
      "postgres://u:SECRET@127.0.0.1/db?sslmode=SECRET",
    ]
  ) {
    assert.throws(() => checkTarget(target), ({ name, message, cause }: Error) => {
      assert.deepEqual([name, cause], ["WrongTarget", undefined], target);
      assert.doesNotMatch(message, /SECRET|Invalid URL|\n/);
      return true;
    }, target);
  }
});
