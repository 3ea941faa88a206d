import { Failure } from "../../gateway/failures.ts";
import { PaymentAdmission } from "../../gateway/payment/admission.ts";
import { PaymentBooks } from "../../gateway/payment/payment_books.ts";
import { PaymentCalls } from "../../gateway/payment/payment_calls.ts";
import { PaymentFlow } from "../../gateway/payment/payment_flow.ts";
import type { Purchase } from "../../gateway/payment/purchase.ts";
import { Reconciler } from "../../gateway/payment/reconciler.ts";
import type { SignatureGuard } from "../../gateway/payment/signature_guard.ts";
import { RuleCompiler } from "../../gateway/routing/compiled_rule.ts";
import type { PaidAccess } from "../../gateway/routing/compiled_rule.ts";
import { type Ledger, ledgerOn } from "../../store/ledger/ledger.ts";
import { LedgerUnavailable, type SqlDatabase } from "../../store/ledger/sql_database.ts";
import { Logger } from "../../store/log.ts";
import { Metrics } from "../../store/metrics.ts";
import { rule, usdcTerms } from "../support/test_gateway.ts";
import type { BuyersPayment, PaymentPlan } from "./model_payment.ts";
import { redelivery, type World } from "./model_world.ts";

const rules = new RuleCompiler(new Metrics());
const compiled = Object.fromEntries(
  (["after-response", "before-request"] as const).map((settle) => {
    const terms = usdcTerms("http://model", { settle });
    return [settle, rules.compile(rule("/paid/**", { kind: "paid", terms }))];
  }),
);

/** All payments of the model are signed; to check that would take longer than all the rest. */
const signatures = {
  check: () => Promise.resolve(),
  isGenuine: () => Promise.resolve(true),
  refused: () => Promise.resolve(),
  unanswered: () => Promise.resolve(),
} as unknown as SignatureGuard;

/** What the database does to the next statement of a process. */
export type DatabaseFault = "none" | "refused" | "lost answer";

/** One gateway process: the real flow on a ledger of its own connection. */
export class GatewayModel {
  alive = true;
  fault: DatabaseFault = "none";
  readonly #ledger: Ledger;
  readonly #flow: PaymentFlow;
  readonly #reconciler: Reconciler;

  constructor(private readonly world: World) {
    const ledger = this.#ledger = ledgerOn(this.#connection(), "model", redelivery);
    const log = new Logger("error", () => {});
    const facilitator = world.facilitator(this);
    const books = new PaymentBooks(ledger.payments, log, 0);
    this.#reconciler = new Reconciler(
      {
        payments: ledger.payments,
        upkeep: ledger.upkeep,
        facilitator,
        chain: world.chain(),
        metrics: new Metrics(),
        log,
      },
      1_000,
    );
    this.#sealDelivered(ledger);
    this.#flow = new PaymentFlow({
      admission: new PaymentAdmission(
        ledger.payments,
        ledger.identifiers,
        signatures,
        () => world.now,
      ),
      calls: new PaymentCalls({ facilitator, signatures, metrics: new Metrics(), log }),
      ledger: ledger.payments,
      books,
      log,
      onDoubt: () => {},
    });
  }

  die(): void {
    this.alive = false;
    this.#ledger.payments.close();
  }

  heal(): void {
    this.fault = "none";
  }

  reconcile(): void {
    this.#reconciler.turn().catch(expected);
  }

  serve(plan: PaymentPlan, sent: BuyersPayment): void {
    const rule = compiled[sent.settle]!;
    const purchase: Purchase = {
      rule,
      access: rule.access as PaidAccess,
      payment: sent.identifier
        ? { ...plan.payment, identifier: `identifier_${plan.nonce.slice(-8)}` }
        : plan.payment,
      method: "GET",
      host: "model",
      resourceUrl: "http://model/paid",
      client: "127.0.0.1",
      isSoldHere: () => true,
      noteRefused() {},
      digest: () => Promise.resolve(sent.otherRequest ? "other" : "request"),
      callBackend: (identity) => {
        const isPaid = identity.some(([name]) => name === "x-402-transaction") ||
          plan.executions > 0;
        return this.world.callBackend(this, plan, isPaid) as ReturnType<Purchase["callBackend"]>;
      },
    };
    this.#flow.serve(purchase).catch(expected);
  }

  /** Remembers which deliveries the ledger has confirmed. */
  #sealDelivered({ payments }: Ledger): void {
    const move = payments.move.bind(payments);
    payments.move = async (hold, to, details) => {
      await move(hold, to, details);
      if (to !== "delivered") return;
      for (const plan of this.world.payments) {
        if (hold.id.endsWith(plan.nonce)) plan.sealed = true;
      }
    };
  }

  /** The shared database, as far as this process reaches it. */
  #connection(): SqlDatabase {
    const { database } = this.world;
    return {
      dialect: database.dialect,
      query: async (sql, values) => {
        if (!this.alive) return await never();
        const { fault } = this;
        this.fault = "none";
        if (fault === "refused") throw new LedgerUnavailable("model");
        const rows = await database.query(sql, values);
        if (!this.alive) return await never();
        if (fault === "lost answer") throw new LedgerUnavailable("model");
        return rows;
      },
      exclusively: () => Promise.reject(new Error("no migrations here")),
      close: () => Promise.resolve(),
    };
  }
}

/** A dead process hears nothing more. */
function never(): Promise<never> {
  return new Promise(() => {});
}

function expected(error: unknown): void {
  if (Failure.from(error).code !== "internal_error") return;
  queueMicrotask(() => {
    throw error;
  });
}
