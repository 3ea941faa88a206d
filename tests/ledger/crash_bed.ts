import { join } from "node:path";
import { ledgerOn } from "../../store/ledger/ledger.ts";
import type { PaymentRecord } from "../../store/ledger/payment_record.ts";
import { SqliteDatabase } from "../../store/ledger/sqlite_database.ts";
import type { PaymentTerms } from "../../store/route_snapshot.ts";
import type { Market } from "../rig/rig.ts";
import type { CrashPlan } from "../support/crashing_gateway.ts";
import { type PaymentToSign, signPayment, usdcRequirements } from "../rig/sign_payment.ts";
import { type FaultyFacilitator, startFaultyFacilitator } from "../support/faulty_facilitator.ts";
import { rule, snapshotOf, usdcTerms } from "../support/test_gateway.ts";

/** What a payment costs, in atomic units. */
export const price = 1000n;

/** One payment, a seller of its own, and a ledger in a file that outlives the gateways. */
export interface CrashBed extends AsyncDisposable {
  /** For `startCrashingGateway`. */
  readonly plan: CrashPlan;
  readonly facilitator: FaultyFacilitator;
  /** Sends the payment; the same each time. */
  pay(url: string, path?: string): Promise<Response>;
  /** Of the backend. */
  calls(): number;
  /** Of the seller, on the chain. */
  earned(): Promise<bigint>;
  /** The rows as another program reads them, once `done`; nothing tells when a gateway has looked. */
  rows(done: (rows: readonly PaymentRecord[]) => boolean): Promise<readonly PaymentRecord[]>;
}

/** A crash is noticed so long after it, in ms. */
const leaseMs = 1_000;

export async function crashBed(
  market: Market,
  settle: PaymentTerms["settle"],
  change: Partial<PaymentToSign> = {},
): Promise<CrashBed> {
  const folder = await Deno.makeTempDir({ prefix: "x402-crash-" });
  const ledger = join(folder, "payments.db");
  const facilitator = startFaultyFacilitator(market.facilitator.url);
  const seller = `0x${crypto.getRandomValues(new Uint8Array(20)).toHex()}` as const;
  const label = crypto.randomUUID();
  const terms = usdcTerms(facilitator.url, { settle, payTo: seller });
  const requirements = usdcRequirements(2, terms.amount, seller);
  const { header, authorization } = await signPayment({
    version: 2,
    buyer: 2,
    requirements,
    ...change,
  });
  await market.usdc.mint(authorization.from, price);
  const access = { kind: "paid", terms } as const;
  const rules = [rule("/paid", access), rule("/stream", access)];
  return {
    plan: {
      ledger,
      leaseMs,
      rpcUrl: market.chain.rpcUrl,
      snapshot: snapshotOf(market.api.url, rules),
    },
    facilitator,
    pay: (url, path = "/paid") => fetch(url + path, { headers: [header, ["x-call-label", label]] }),
    calls: () => market.api.calls({ label }),
    earned: () => market.usdc.balanceOf(seller),
    async rows(done) {
      const deadline = Date.now() + 20_000;
      for (;;) {
        const reader = ledgerOn(new SqliteDatabase(ledger), "reader");
        const rows = await Array.fromAsync(reader.history.list());
        await reader.close();
        if (done(rows) || Date.now() > deadline) return rows;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async [Symbol.asyncDispose]() {
      await facilitator[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
