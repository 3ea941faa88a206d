/**
 * A facilitator that fails between the gateway and the chain, with real money: for each fault the
 * buyer's status, the row, the money, and what the same payment gets afterwards.
 */
import assert from "node:assert/strict";
import type { PaymentState } from "../../store/ledger/payment_state.ts";
import { defaultLedgerSettings } from "../../store/ledger/payment_ledger.ts";
import type { PaymentTerms } from "../../store/route_snapshot.ts";
import { type Market, startMarket } from "../rig/rig.ts";
import { signPayment, usdcRequirements } from "../rig/sign_payment.ts";
import { type SettleFault, startFaultyFacilitator } from "../support/faulty_facilitator.ts";
import { paymentBecomes } from "../support/payment_becomes.ts";
import {
  memoryLedger,
  rule,
  snapshotOf,
  startTestGateway,
  usdcTerms,
} from "../support/test_gateway.ts";

interface FaultCase {
  readonly fault: SettleFault;
  /** Of the buyer's first attempt. */
  readonly status: number;
  /** Directly after it, and when the reconciler has looked at the chain. */
  readonly state: PaymentState;
  readonly found: PaymentState;
  readonly paid: boolean;
  /** What the same payment gets then, and whether it is paid for in the end. */
  readonly again: number;
}

const settledBehind = {
  status: 503,
  state: "unknown",
  found: "undelivered",
  paid: true,
  again: 200,
};
const notSettled = { status: 503, state: "unknown", found: "unknown", paid: false, again: 200 };
const cases: readonly FaultCase[] = ([
  { fault: "none", status: 200, state: "delivered", found: "delivered", paid: true, again: 402 },
  { fault: "reset before settling", ...notSettled },
  { fault: "reset after settling", ...settledBehind },
  { fault: "no answer before settling", ...notSettled },
  { fault: "no answer after settling", ...settledBehind },
  { fault: "500 before settling", ...notSettled },
  { fault: "500 after settling", ...settledBehind },
  { fault: "truncated after settling", ...settledBehind },
  { fault: "10 MB after settling", ...settledBehind },
  { fault: "another payer after settling", ...settledBehind },
  { fault: "another network after settling", ...settledBehind },
  { fault: "no transaction after settling", ...settledBehind },
  { fault: "pending after settling", ...settledBehind },
  { fault: "429 before settling", ...notSettled },
] as const).map((each) => each as FaultCase);

async function bedOf(market: Market, settle: PaymentTerms["settle"]) {
  const facilitator = startFaultyFacilitator(market.facilitator.url);
  const payTo = `0x${crypto.getRandomValues(new Uint8Array(20)).toHex()}` as const;
  const label = crypto.randomUUID();
  const terms = usdcTerms(facilitator.url, { settle, payTo });
  const { header, authorization } = await signPayment({
    version: 2,
    buyer: 3,
    requirements: usdcRequirements(2, terms.amount, payTo),
  });
  await market.usdc.mint(authorization.from, BigInt(terms.amount));
  const snapshot = snapshotOf(market.api.url, [rule("/paid", { kind: "paid", terms })]);
  const ledger = memoryLedger({ ...defaultLedgerSettings, graceMs: 50 });
  const gateway = startTestGateway(snapshot, {
    facilitator: { verifyMs: 2_000, settleMs: 1_000 },
    rpcUrls: new Map([["eip155:84532", market.chain.rpcUrl]]),
    reconcileMs: 50,
  }, ledger);
  return {
    facilitator,
    ledger,
    pay: async () => {
      const headers: [string, string][] = [header, ["x-call-label", label]];
      const reply = await fetch(`${gateway.url}/paid`, { headers });
      await reply.body?.cancel();
      return reply;
    },
    calls: () => market.api.calls({ label }),
    earned: async () => await market.usdc.balanceOf(payTo) === BigInt(terms.amount),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await facilitator[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a facilitator that fails around the settlement: money moves once, nobody pays twice", async (t) => {
  await using market = await startMarket();
  for (const settle of ["after-response", "before-request"] as const) {
    for (const each of cases) {
      await t.step(`${settle}: ${each.fault}`, async () => {
        await using bed = await bedOf(market, settle);
        bed.facilitator.fault = each.fault;
        const first = await bed.pay();
        assert.equal(first.status, each.status);
        if (each.status === 503) assert.ok(first.headers.has("retry-after"));
        await market.chain.client.mine({ blocks: 5 });
        await paymentBecomes(bed.ledger, each.state, each.found);
        await paymentBecomes(bed.ledger, each.found);
        assert.equal(await bed.earned(), each.paid);
        const executed = settle === "after-response" || each.status === 200 ? 1 : 0;
        assert.equal(bed.calls(), executed);
        bed.facilitator.fault = "none";
        // An unused authorization may be settled by another try after a moment.
        let again = await bed.pay();
        while (again.status === 503) again = await bed.pay();
        assert.equal(again.status, each.again);
        assert.equal(await bed.earned(), true);
        assert.equal(bed.facilitator.settled, 1, "settled once");
        const last = await paymentBecomes(bed.ledger, "delivered");
        assert.match(last.transaction!, /^0x[0-9a-f]{64}$/);
        assert.equal(bed.calls(), each.again === 200 ? executed + 1 : executed);
        assert.equal((await bed.pay()).status, 402);
      });
    }
  }
});
