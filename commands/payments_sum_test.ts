import assert from "node:assert/strict";
import { csvObjects, parseCsv } from "../tests/support/csv.ts";
import {
  ada,
  bob,
  day1,
  ether,
  onLedger,
  payments,
  printed,
  usdc,
} from "../tests/support/payments_command.ts";
import type { RecordedPayment } from "../tests/support/recorded_payments.ts";

/** 2^256 - 1, which has 78 digits. */
const largest = 2n ** 256n - 1n;

Deno.test("payments sum: charged payments, exact for each token", async () => {
  await onLedger(payments, async (run) => {
    const sum = async (...args: string[]) =>
      JSON.parse(printed(await run("sum", "-o", "json", ...args)));
    const inEther = { ...ether, symbol: null };
    const inUsdc = { ...usdc, symbol: "USDC" };
    assert.deepEqual(await sum(), [
      { ...inEther, count: 2, total: "1.000000000000000001", atomic: "1000000000000000001" },
      { ...inUsdc, count: 2, total: "2.500001", atomic: "2500001" },
    ]);
    assert.deepEqual(await sum("--by", "day,route", "--payer", ada), [
      {
        ...{ day: "2026-11-01", route: "shop/prices", ...inUsdc },
        ...{ count: 1, total: "0.000001", atomic: "1" },
      },
      {
        ...{ day: "2026-11-02", route: "default/art", ...inEther },
        ...{ count: 1, total: "0.000000000000000001", atomic: "1" },
      },
    ]);
    const states = await sum("--by", "state", "--by", "payer", "--state", "rejected,verified");
    assert.deepEqual(
      states.map(({ state, payer, count }: Record<string, unknown>) => [state, payer, count]),
      [["rejected", ada, 1], ["verified", bob, 1]],
    );
    const table = printed(await run("sum")).trimEnd().split("\n").map((line) =>
      line.split(/ {2,}/)
    );
    assert.deepEqual(table, [
      ["NETWORK", "TOKEN", "COUNT", "TOTAL", "ATOMIC"],
      ["eip155:1", ether.asset, "2", "1.000000000000000001", "1000000000000000001"],
      ["eip155:84532", "USDC", "2", "2.500001", "2500001"],
    ]);
    assert.deepEqual(parseCsv(printed(await run("sum", "-o", "csv", "--since", "2026-11-03"))), [
      ["network", "symbol", "asset", "count", "total", "atomic"],
    ]);
  });
});

Deno.test("payments sum: amounts of 78 digits, over more than one page of rows", async () => {
  const digits = largest.toString();
  const price = `${digits.slice(0, -18)}.${digits.slice(-18)}`;
  const recorded = Array.from({ length: 1_003 }, (_, i): RecordedPayment => (
    { ...ether, state: "delivered", at: day1, path: `/${i}`, amount: largest, price }
  ));
  await onLedger(recorded, async (run) => {
    const [row, ...more] = csvObjects(printed(await run("sum", "-o", "csv")));
    assert.deepEqual(more, []);
    const atomic = (largest * 1_003n).toString();
    assert.equal(row!.atomic, atomic);
    assert.equal(row!.total, `${atomic.slice(0, -18)}.${atomic.slice(-18)}`);
    const listed = csvObjects(printed(await run("list", "-o", "csv")));
    assert.equal(new Set(listed.map(({ id }) => id)).size, 1_003, "each of them once");
    assert.equal(printed(await run("list")).trimEnd().split("\n").length, 1_004);
  });
});

Deno.test("a price that is no number ends the sum", async () => {
  const wrong: RecordedPayment = { state: "delivered", at: day1, price: "1e3", nonce: "0xee" };
  await onLedger([...payments, wrong], async (run) => {
    const { code, stdout, stderr } = await run("sum");
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(
      stderr,
      /^error: payment \S+\/0xee has a wrong price: "1e3" is not a decimal.*\n$/,
    );
  });
});
