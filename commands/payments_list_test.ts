/** The command as a finance person runs it. */
import assert from "node:assert/strict";
import { csvObjects, parseCsv } from "../tests/support/csv.ts";
import {
  ada,
  bob,
  day3,
  ether,
  onLedger,
  payments,
  printed,
  strangeReason,
  transaction,
  usdc,
} from "../tests/support/payments_command.ts";
import type { RecordedPayment } from "../tests/support/recorded_payments.ts";

Deno.test("payments list: filters, alone and together", async (t) => {
  const cases: [args: string[], nonces: string[]][] = [
    [[], ["a1", "b2", "b3", "b4", "b5", "c3"]],
    [["--route", "art"], ["b2"]],
    [["--route", "default/art"], ["b2"]],
    [["--route", "shop/prices", "--payer", ada], ["a1", "b4"]],
    [["--payer", `0x${"A".repeat(40)}`], ["a1", "b2", "b4"]],
    [["--state", "rejected"], ["b4"]],
    [["--state", "rejected, verified"], ["b4", "c3"]],
    [["--state", "rejected", "--state", "verified"], ["b4", "c3"]],
    [["--state", "charged"], ["a1", "b2", "b3", "b5"]],
    [["--state", "open"], ["b3", "c3"]],
    [["--state", "all"], ["a1", "b2", "b3", "b4", "b5", "c3"]],
    [["--since", "2026-11-02"], ["b2", "b3", "b4", "b5", "c3"]],
    [["--until", "2026-11-02"], ["a1"]],
    [["--since", "2026-11-02T01:00:00.001+01:00", "--until", "2026-11-02T00:00:00.003Z"], [
      "b3",
      "b4",
    ]],
    [["--limit", "2"], ["a1", "b2"]],
    [["--limit", "1", "--payer", bob], ["b3"]],
    [["--payer", bob, "--state", "unknown"], []],
  ];
  await onLedger(payments, async (run) => {
    for (const [args, nonces] of cases) {
      await t.step(args.join(" ") || "none", async () => {
        const rows = JSON.parse(printed(await run("list", "-o", "json", ...args)));
        const found = rows.map(({ nonce }: { nonce: string }) => nonce.slice(2));
        assert.deepEqual(found, nonces);
      });
    }
  });
});

Deno.test("payments list: how long ago", async () => {
  const hourMs = 3_600_000;
  const recorded = [80, 30, 2].map((hours): RecordedPayment => (
    { state: "delivered", at: Date.now() - hours * hourMs, path: `/${hours}` }
  ));
  await onLedger(recorded, async (run) => {
    const paths = async (...args: string[]) =>
      csvObjects(printed(await run("list", "-o", "csv", ...args))).map(({ path }) => path);
    assert.deepEqual(await paths("--since", "24h"), ["/2"]);
    assert.deepEqual(await paths("--since", "3d", "--until", "24h"), ["/30"]);
  });
});

Deno.test("payments list: the same payments as table, JSON and CSV", async () => {
  await onLedger(payments, async (run) => {
    const lines = printed(await run("list", "--payer", ada)).trimEnd().split("\n");
    assert.equal(lines.length, 4);
    const cells = lines.map((line) => line.split(/ {2,}/));
    assert.deepEqual(cells[0], [
      ...["TIME", "SETTLED", "STATE", "ROUTE", "PATH", "PAYER", "PRICE", "TOKEN", "NETWORK"],
      ...["TRANSACTION", "REASON"],
    ]);
    assert.deepEqual(cells[1], [
      ...["2026-11-01T23:59:59.999Z", "2026-11-02T00:00:00.999Z", "delivered", "shop/prices"],
      ...["/paid/**", ada, "0.000001", "USDC", "eip155:84532", transaction, "-"],
    ]);
    assert.equal(cells[2]![7], ether.asset);
    const column = lines[0]!.indexOf("NETWORK");
    for (const line of lines.slice(1)) assert.equal(line.indexOf("eip155"), column, line);

    const [first] = JSON.parse(printed(await run("list", "-o", "json", "--limit", "1")));
    const { id, ...rest } = first;
    assert.equal(id, `${usdc.network}/${usdc.asset}/eip3009/${ada}/0xa1`);
    delete rest.validBefore;
    assert.deepEqual(rest, {
      ...{ time: "2026-11-01T23:59:59.999Z", settled: "2026-11-02T00:00:00.999Z" },
      ...{ updated: "2026-11-02T00:00:00.999Z", state: "delivered", reason: null },
      ...{ route: "shop/prices", path: "/paid/**", method: "GET", host: "api.example.com" },
      ...{ payer: ada, payTo: "0x1f6004907Adc7d313768b85917e069e011150390" },
      ...{ price: "0.000001", amount: "1", symbol: "USDC", ...usdc, transaction },
      ...{ transferMethod: "eip3009", nonce: "0xa1", executions: 0 },
      facilitator: "https://facilitator.example.com",
    });

    const csv = printed(await run("list", "-o", "csv", "--limit", "2"));
    assert.deepEqual(parseCsv(csv), [
      [
        ...["time", "settled", "route", "path", "payer", "price", "symbol", "asset", "network"],
        ...["transaction", "state", "reason", "id"],
      ],
      [
        ...["2026-11-01T23:59:59.999Z", "2026-11-02T00:00:00.999Z", "shop/prices", "/paid/**"],
        ...[ada, "0.000001", "USDC", usdc.asset, usdc.network, transaction, "delivered", "", id],
      ],
      [
        ...["2026-11-02T00:00:00.000Z", "2026-11-02T00:00:01.000Z", "default/art", "/paid/**"],
        ...[ada, "0.000000000000000001", "", ether.asset, ether.network, `0x${"5E".repeat(32)}`],
        ...["undelivered", "", `${ether.network}/${ether.asset}/eip3009/${ada}/0xb2`],
      ],
    ]);
  });
});

Deno.test("attack: texts of strangers are no formulas, no control sequences and no new lines", async () => {
  const starts = ["=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "＝", "＠"];
  const recorded = [
    ...payments,
    ...starts.map((start, i): RecordedPayment => (
      { state: "rejected", at: day3 + i + 1, payer: ada, reason: `${start}1+1` }
    )),
  ];
  await onLedger(recorded, async (run) => {
    const attack = ["--state", "rejected"];
    const csv = printed(await run("list", "-o", "csv", ...attack));
    const reasons = csvObjects(csv).map(({ reason }) => reason!);
    assert.equal(reasons[0], `'=cmd|"/c calc"!A1, [2J 2J   second line`);
    assert.equal(reasons.length, 1 + starts.length);
    for (const reason of reasons) assert.equal(reason[0], "'", reason);
    for (const output of ["table", "json", "csv"]) {
      const text = printed(await run("list", "-o", output, ...attack));
      assert.doesNotMatch(text, /[^\P{Cc}\r\n]|\p{Cf}|\r(?!\n)/u, output);
    }
    const json = JSON.parse(printed(await run("list", "-o", "json", ...attack)));
    assert.equal(json[0].reason, strangeReason, "and JSON is exact");
    assert.doesNotMatch(printed(await run("show", "0xb4")), /[^\P{Cc}\n]/u);
  });
});
