import assert from "node:assert/strict";
import { onLedger, payments } from "../tests/support/payments_command.ts";
import { runCommand } from "../tests/support/run_command.ts";

Deno.test("wrong usage of payments: one line, exit code 2", async (t) => {
  const none = ["--ledger", "/nonexist/ledger.db"];
  const cases: [args: string[], says: RegExp][] = [
    [["list"], /required option '--ledger <path\|url>' not specified/],
    [["list", ...none], /^error: --ledger: there is no file \/nonexist\/ledger.db$/],
    [["list", "--ledger", "/tmp"], /^error: --ledger: \/tmp is a folder, not an SQLite file$/],
    [["lst", ...none], /unknown command 'lst' \(Did you mean list\?\)/],
    [["show", ...none], /missing required argument 'id'/],
    [["list", ...none, "--state", "setled"], /no state "setled", did you mean settled\? Give some/],
    [["list", ...none, "--state", ""], /no state ""/],
    [
      ["sum", ...none, "--by", "route,dax"],
      /no grouping "dax", did you mean day\? Give some of: r/,
    ],
    [["list", ...none, "--route", "Shop/Prices"], /Give NAMESPACE\/NAME/],
    [["list", ...none, "--payer", "0x12"], /Give an address/],
    [["list", ...none, "--limit", "0"], /Give a whole number, 1 or more/],
    [["list", ...none, "-o", "xml"], /Allowed choices are table, json, csv/],
    [["list", ...none, "--since", "yesterday"], /Give a time with its zone, a date \(UTC\)/],
    [["list", ...none, "--since", "2026-11-24T08:00:00"], /Give a time with its zone/],
    [["list", ...none, "--since", "2026-02-30"], /Give a time with its zone/],
    [["list", ...none, "--until", "2026-11-24T24:00:00Z"], /Give a time with its zone/],
  ];
  for (const [args, says] of cases) {
    await t.step(args.join(" "), async () => {
      const { code, stdout, stderr } = await runCommand(["payments", ...args]);
      assert.deepEqual([code, stdout], [2, ""], stderr);
      assert.match(stderr.trimEnd(), says);
      assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
    });
  }
});

Deno.test("a time span without time in it", async () => {
  await onLedger(payments, async (run) => {
    const { code, stderr } = await run("list", "--since", "2026-11-02", "--until", "2026-11-02");
    assert.deepEqual([code, stderr], [2, "error: --since has to be before --until\n"]);
  });
});
