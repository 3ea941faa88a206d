import assert from "node:assert/strict";
import type { Ledger } from "../../store/ledger/ledger.ts";
import type { PaymentRecord } from "../../store/ledger/payment_record.ts";
import { newPayment } from "../../store/ledger/test_payment.ts";
import { Logger } from "../../store/log.ts";
import { Metrics } from "../../store/metrics.ts";
import { signPayment, usdcRequirements } from "../../tests/rig/sign_payment.ts";
import { memoryLedger, usdcTerms } from "../../tests/support/test_gateway.ts";
import type { ChainReader } from "../chain/chain_reader.ts";
import type { FacilitatorClient, VerifyOutcome } from "../facilitator/facilitator_client.ts";
import { toPayment } from "./payment_header.ts";
import { Reconciler } from "./reconciler.ts";
import { writeClaim } from "./settlement_claim.ts";

const noChain = { covers: () => false } as unknown as ChainReader;

/** A reconciler whose facilitators answer as told, by URL. */
async function setUp(
  answer: (facilitatorUrl: string, signal: AbortSignal) => Promise<VerifyOutcome>,
) {
  const ledger = memoryLedger();
  // It makes its schema in this turn of the event loop.
  await new Promise((resolve) => setTimeout(resolve, 0));
  const log: Record<string, unknown>[] = [];
  const asked: string[] = [];
  const facilitator = {
    verify(_: unknown, terms: { facilitatorUrl: string }, _url: string, signal: AbortSignal) {
      asked.push(terms.facilitatorUrl);
      return answer(terms.facilitatorUrl, signal);
    },
  } as unknown as FacilitatorClient;
  const { payments, upkeep } = ledger;
  const logger = new Logger("info", (line) => log.push(JSON.parse(line)));
  const deps = {
    payments,
    upkeep,
    facilitator,
    chain: noChain,
    metrics: new Metrics(),
    log: logger,
  };
  const reconciler = new Reconciler(deps, 60_000);
  return {
    ledger,
    log,
    asked,
    reconciler,
    async [Symbol.asyncDispose]() {
      await reconciler.close();
      await ledger.close();
    },
  };
}

/** A payment whose settlement nobody answered. */
async function doubt({ payments }: Ledger, facilitatorUrl: string): Promise<string> {
  const payment = newPayment({ facilitatorUrl });
  const reservation = await payments.reserve(payment);
  assert.ok(reservation.kind === "reserved");
  const { message } = await signPayment({
    version: 2,
    buyer: 1,
    requirements: usdcRequirements(2, "1000", payment.payTo),
  });
  const claim = writeClaim({
    payment: toPayment(message, 2, "test"),
    terms: usdcTerms(facilitatorUrl),
    resourceUrl: "http://a.test/",
  });
  await payments.move(reservation.hold, "settling", { claim });
  await payments.move(reservation.hold, "unknown");
  return payment.nonce;
}

async function becomes({ history }: Ledger, nonce: string, state: string): Promise<PaymentRecord> {
  for (;;) {
    const [row] = await history.show(nonce);
    if (row!.state === state) return row!;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const used: VerifyOutcome = {
  kind: "invalid",
  reason: "invalid_exact_evm_nonce_already_used",
};

/** Answers never, until it is asked to give up. */
function silent(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    signal.addEventListener("abort", () => reject(new Error("given up")))
  );
}

Deno.test("a facilitator that is silent about many payments keeps no other payment waiting", async () => {
  await using bed = await setUp((url, signal) =>
    url === "http://silent" ? silent(signal) : Promise.resolve(used)
  );
  for (let i = 0; i < 100; i++) await doubt(bed.ledger, "http://silent");
  const honest = await doubt(bed.ledger, "http://honest");
  await bed.reconciler.turn();
  await becomes(bed.ledger, honest, "undelivered");
  assert.equal(bed.asked.filter((url) => url === "http://silent").length, 4);
});

Deno.test("the end does not wait for answers", async () => {
  const bed = await setUp((_, signal) => silent(signal));
  await doubt(bed.ledger, "http://silent");
  await bed.reconciler.turn();
  await bed.reconciler.close();
  await bed.ledger.close();
});

Deno.test("a stream of doubts does not put off the look at them", async () => {
  await using bed = await setUp(() => Promise.resolve(used));
  const nonce = await doubt(bed.ledger, "http://honest");
  const doubts = setInterval(bed.reconciler.notice, 20);
  await becomes(bed.ledger, nonce, "undelivered");
  clearInterval(doubts);
});

Deno.test("what a facilitator cannot tell stays unknown, and is told of once", async () => {
  const reason = "invalid_exact_evm_payload_authorization_valid_before";
  await using bed = await setUp(() => Promise.resolve({ kind: "invalid", reason }));
  const nonce = await doubt(bed.ledger, "http://honest");
  await bed.reconciler.turn();
  while (bed.log.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await becomes(bed.ledger, nonce, "unknown");
  const [line, ...more] = bed.log;
  assert.equal(line!.msg, "settlement outcome still unknown");
  assert.match(String(line!.reason), /--rpc-url/);
  assert.deepEqual(more, []);
});

Deno.test("payments of this process are held also after it stood still, or its clock was set", async () => {
  await using bed = await setUp(() => Promise.resolve(used));
  const reservation = await bed.ledger.payments.reserve(newPayment());
  assert.ok(reservation.kind === "reserved");
  const { hold } = reservation;
  await bed.ledger.payments.move(hold, "verified", { executions: 1 });
  const { renew } = bed.ledger.payments;
  let renewed = 0;
  bed.ledger.payments.renew = (lease) => {
    renewed++;
    return renew.call(bed.ledger.payments, lease);
  };
  await bed.reconciler.turn();
  assert.equal(renewed, 1, "before anybody is taken for dead");
  await bed.ledger.payments.move(hold, "settling");
});
