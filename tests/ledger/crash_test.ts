/**
 * kill -9 right before and after every move of the state machine, with real money: a process that
 * comes after finds out what happened, the books balance with the chain, and the buyer who sends the
 * same payment again gets what it paid for, or may pay.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { ledgerOn } from "../../store/ledger/ledger.ts";
import type { PaymentRecord } from "../../store/ledger/payment_record.ts";
import { openStates, type PaymentState } from "../../store/ledger/payment_state.ts";
import { SqliteDatabase } from "../../store/ledger/sqlite_database.ts";
import type { PaymentTerms } from "../../store/route_snapshot.ts";
import { type Market, startMarket } from "../rig/rig.ts";
import { signPayment, usdcRequirements } from "../rig/sign_payment.ts";
import { rule, snapshotOf, usdcTerms } from "../support/test_gateway.ts";
import { startCrashingGateway } from "./crashing_gateway_process.ts";

const price = 1000n;
const leaseMs = 1_000;

interface Crash {
  readonly settle: PaymentTerms["settle"];
  readonly when: "before" | "after";
  readonly move: PaymentState;
  /** What is true once the next process has looked: on record, on the chain, at the backend. */
  readonly found: PaymentState | "nothing";
  readonly paid: boolean;
  readonly calls: number;
  /** Status of the same payment sent again, and whether it is paid for in the end. */
  readonly again: number;
  readonly paidInTheEnd: boolean;
}

const after = "after-response";
const before = "before-request";
const crashes: readonly Crash[] = [
  crash(after, "before reserved", "nothing", { paid: false, calls: 0 }, 200),
  crash(after, "after reserved", "released", { paid: false, calls: 0 }, 200),
  crash(after, "before verified", "released", { paid: false, calls: 0 }, 200),
  // The backend may have been called from here on, so it is not called again for nothing.
  crash(after, "after verified", "released", { paid: false, calls: 0 }, 402),
  crash(after, "before settling", "released", { paid: false, calls: 1 }, 402),
  // In doubt, and the chain says that nothing has moved: the buyer may settle it with another try.
  crash(after, "after settling", "unknown", { paid: false, calls: 1 }, 503),
  crash(after, "before settled", "undelivered", { paid: true, calls: 1 }, 200),
  crash(after, "after settled", "undelivered", { paid: true, calls: 1 }, 200),
  crash(after, "before delivered", "undelivered", { paid: true, calls: 1 }, 200),
  crash(after, "after delivered", "delivered", { paid: true, calls: 1 }, 402),
  crash(before, "after reserved", "released", { paid: false, calls: 0 }, 200),
  crash(before, "before settling", "released", { paid: false, calls: 0 }, 200),
  crash(before, "after settling", "unknown", { paid: false, calls: 0 }, 503),
  crash(before, "before settled", "undelivered", { paid: true, calls: 0 }, 200),
  crash(before, "after settled", "undelivered", { paid: true, calls: 0 }, 200),
  crash(before, "before delivered", "undelivered", { paid: true, calls: 1 }, 200),
  crash(before, "after delivered", "delivered", { paid: true, calls: 1 }, 402),
];

function crash(
  settle: Crash["settle"],
  point: string,
  found: Crash["found"],
  world: { readonly paid: boolean; readonly calls: number },
  again: number,
): Crash {
  const [when, move] = point.split(" ") as [Crash["when"], PaymentState];
  return { settle, when, move, found, ...world, again, paidInTheEnd: world.paid || again === 200 };
}

async function bedOf(market: Market, { settle }: Crash) {
  const folder = await Deno.makeTempDir({ prefix: "x402-crash-" });
  const ledger = join(folder, "payments.db");
  const seller = `0x${crypto.getRandomValues(new Uint8Array(20)).toHex()}` as const;
  const label = crypto.randomUUID();
  const terms = usdcTerms(market.facilitator.url, { settle, payTo: seller });
  const { header, authorization } = await signPayment({
    version: 2,
    buyer: 2,
    requirements: usdcRequirements(2, terms.amount, seller),
  });
  return {
    plan: {
      ledger,
      leaseMs,
      rpcUrl: market.chain.rpcUrl,
      snapshot: snapshotOf(market.api.url, [rule("/paid", { kind: "paid", terms })]),
    },
    authorization,
    pay: async (url: string) => {
      const headers: [string, string][] = [header, ["x-call-label", label]];
      const reply = await fetch(`${url}/paid`, { headers });
      await reply.body?.cancel();
      return reply;
    },
    calls: () => market.api.calls({ label }),
    earned: () => market.usdc.balanceOf(seller),
    /** Rows as another program reads them. */
    rows: async (): Promise<PaymentRecord[]> => {
      const reader = ledgerOn(new SqliteDatabase(ledger), "reader");
      const rows = await Array.fromAsync(reader.history.list());
      await reader.close();
      return rows;
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

const stillOpen: readonly PaymentState[] = openStates.filter((state) => state !== "unknown");

Deno.test("kill -9 at each move: the books balance with the chain afterwards", async (t) => {
  await using market = await startMarket();
  const { client } = market.chain;
  for (const crash of crashes) {
    await t.step(`${crash.settle}: ${crash.when} ${crash.move}`, async () => {
      await using bed = await bedOf(market, crash);
      await market.usdc.mint(bed.authorization.from, price);
      {
        const { settle: _, found: _f, ...at } = crash;
        await using dying = await startCrashingGateway({ ...bed.plan, crash: at });
        await bed.pay(dying.url).catch(() => {});
        assert.equal(await dying.process.ended, 137, "it was killed");
      }
      await using next = await startCrashingGateway(bed.plan);
      // The chain reader looks a few blocks back.
      await client.mine({ blocks: 5 });
      const rows = await until(
        bed.rows,
        (rows) =>
          rows.every(({ state }) => !stillOpen.includes(state)) &&
          (rows[0]?.state !== "unknown" || crash.found === "unknown"),
      );
      assert.equal(rows[0]?.state ?? "nothing", crash.found);
      assert.equal(await bed.earned(), crash.paid ? price : 0n);
      assert.equal(bed.calls(), crash.calls);
      if (crash.found === "undelivered") assert.match(rows[0]!.transaction!, /^0x[0-9a-f]{64}$/);
      const again = await bed.pay(next.url);
      assert.equal(again.status, crash.again);
      assert.equal(await bed.earned(), crash.paidInTheEnd ? price : 0n, "moved once");
    });
  }
});

/** The rows once they are as expected; nothing tells when the next process has looked. */
async function until<T>(read: () => Promise<T>, done: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const value = await read();
    if (done(value) || Date.now() > deadline) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
