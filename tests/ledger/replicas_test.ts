/** Two gateway processes that share a ledger in PostgreSQL, with real money. */
import assert from "node:assert/strict";
import { PostgresDatabase } from "../../store/ledger/postgres_database.ts";
import { ledgerOn } from "../../store/ledger/ledger.ts";
import { startMarket } from "../rig/rig.ts";
import { signPayment, usdcRequirements } from "../rig/sign_payment.ts";
import {
  poolerTest,
  postgresServerTest,
  postgresTest,
  type TestPostgres,
} from "../rig/test_postgres.ts";
import type { Pgbouncer } from "../rig/pgbouncer.ts";
import { rule, snapshotOf, usdcTerms } from "../support/test_gateway.ts";
import { startCrashingGateway } from "./crashing_gateway_process.ts";

/** A market with two gateways on one ledger, and a buyer who signs for one price. */
async function bedOn(
  ledger: string,
  { settle = "after-response" as const, leaseMs = 30_000 } = {},
) {
  await using started = new AsyncDisposableStack();
  const market = started.use(await startMarket());
  const seller = `0x${crypto.getRandomValues(new Uint8Array(20)).toHex()}` as const;
  const terms = usdcTerms(market.facilitator.url, { settle, payTo: seller });
  const access = { kind: "paid", terms } as const;
  const rules = [rule("/slow", access), rule("/paid/**", access), rule("/free", { kind: "free" })];
  const snapshot = snapshotOf(market.api.url, rules);
  const plan = { ledger, leaseMs, snapshot, rpcUrl: market.chain.rpcUrl };
  const gateways = await Promise.all([startCrashingGateway(plan), startCrashingGateway(plan)]);
  for (const gateway of gateways) started.use(gateway);
  const reader = ledgerOn(new PostgresDatabase(ledger), "reader");
  started.defer(() => reader.close());
  const running = started.move();
  return {
    market,
    gateways,
    history: reader.history,
    sign: async () => {
      const requirements = usdcRequirements(2, terms.amount, seller);
      const { header, authorization } = await signPayment({ version: 2, buyer: 4, requirements });
      await market.usdc.mint(authorization.from, BigInt(terms.amount));
      return header;
    },
    earned: () => market.usdc.balanceOf(seller),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

for (const [name, test] of [["directly", postgresTest], ["behind a pooler", poolerTest]] as const) {
  test(
    `500 copies of one payment at once over two gateways on PostgreSQL, ${name}: one is served`,
    async (server: TestPostgres, pooler?: Pgbouncer) => {
      const url = await server.createDatabase();
      await using bed = await bedOn(pooler === undefined ? url : pooler.through(url));
      const header = await bed.sign();
      const replies = await Promise.all(
        Array.from({ length: 500 }, async (_, i) => {
          const reply = await fetch(`${bed.gateways[i % 2]!.url}/slow?ms=300`, {
            headers: [header],
          });
          await reply.body?.cancel();
          return reply.status;
        }),
      );
      const count = (status: number) => replies.filter((each) => each === status).length;
      assert.equal(count(200), 1);
      assert.equal(count(200) + count(409) + count(402), 500, `statuses ${new Set(replies)}`);
      assert.ok(count(409) > 0);
      assert.equal(bed.market.api.calls({ path: "/slow" }), 1, "the backend ran once");
      assert.equal(await bed.earned(), 1000n, "money moved once, on the chain");
      const rows = await Array.fromAsync(bed.history.list());
      assert.deepEqual(rows.map(({ executions }) => executions), [1]);
    },
  );
}

postgresServerTest(
  "PostgreSQL dies and comes back: paid requests 503 and uncharged, free ones served",
  async (server) => {
    await using bed = await bedOn(await server.createDatabase());
    const [gateway] = bed.gateways;
    const get = async (path: string, header?: [string, string]) => {
      const reply = await fetch(gateway!.url + path, { headers: header ? [header] : [] });
      return { status: reply.status, body: await reply.text(), headers: reply.headers };
    };
    assert.equal((await get("/paid/a", await bed.sign())).status, 200);
    await server.kill();
    for (let i = 0; i < 5; i++) {
      const refused = await get("/paid/b", await bed.sign());
      assert.equal(refused.status, 503);
      assert.equal(JSON.parse(refused.body).error, "ledger_unavailable");
      assert.ok(refused.headers.has("retry-after"));
      assert.equal(refused.headers.has("payment-required"), false, "no new offer");
      assert.equal((await get("/free")).status, 200, "free paths go on");
      assert.equal((await get("/paid/b")).status, 402, "and so do offers");
    }
    assert.equal(await bed.earned(), 1000n, "nothing was charged meanwhile");
    assert.equal(bed.market.api.calls({ path: "/paid/b" }), 0);
    await server.restart();
    assert.equal((await get("/paid/c", await bed.sign())).status, 200, "it reconnects by itself");
    assert.equal(await bed.earned(), 2000n);
  },
);

postgresServerTest(
  "PostgreSQL dies while a payment is under way: served, written down later, charged once",
  async (server) => {
    await using bed = await bedOn(await server.createDatabase());
    const header = await bed.sign();
    const url = `${bed.gateways[0]!.url}/slow?ms=600`;
    const paying = fetch(url, { headers: [header] });
    await until(() => bed.market.api.calls({ path: "/slow" }) === 1);
    await server.kill();
    const reply = await paying;
    await reply.body?.cancel();
    // The settlement cannot be put on record before it is made, so it is not made.
    assert.equal(reply.status, 503);
    assert.equal(await bed.earned(), 0n);
    await server.restart();
    const copy = await fetch(url, { headers: [header] });
    await copy.body?.cancel();
    assert.equal(copy.status, 409, "until the lease is over nobody else may have it");
    assert.equal(bed.market.api.calls({ path: "/slow" }), 1);
  },
);

async function until(done: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!done()) {
    if (Date.now() > deadline) throw new Error("it does not come about");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
