import type { Hold, MoveDetails, PaymentLedger } from "../../store/ledger/payment_ledger.ts";
import type { Logger } from "../../store/log.ts";
import type { Metrics } from "../../store/metrics.ts";
import { Failure } from "../failures.ts";
import { UpstreamFailure } from "../upstream/transport.ts";
import type { PaymentAdmission } from "./admission.ts";
import type { FacilitatorClient, SettleOutcome } from "../facilitator/facilitator_client.ts";
import { keepReply, replayReply } from "./kept_reply.ts";
import type { PaymentBooks } from "./payment_books.ts";
import type { BackendReply, Purchase } from "./purchase.ts";
import { type HeaderLine, identityHeaders, receiptHeader } from "./receipt.ts";
import { writeClaim } from "./settlement_claim.ts";
import type { SignatureGuard } from "./signature_guard.ts";

export interface PaymentFlowDeps {
  readonly admission: PaymentAdmission;
  readonly facilitator: FacilitatorClient;
  readonly ledger: PaymentLedger;
  readonly books: PaymentBooks;
  readonly signatures: SignatureGuard;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Told when a settlement is in doubt, so that somebody finds out. */
  readonly onDoubt: () => void;
}

/**
 * The order of a paid request; the states and the moves between them are drawn in
 * `store/ledger/payment_state.ts`.
 *
 * What must not happen twice is on record before it is done (`ledger.move`, which fails closed), and
 * what has happened is put on record after it (`books.record`, which does not fail). So at a crash
 * between any two lines a row says too much rather than too little: the backend may have been
 * called, money may have moved. A facilitator outage is never a 402: the buyer would sign and pay a
 * second time.
 */
export class PaymentFlow {
  constructor(private readonly deps: PaymentFlowDeps) {}

  /** @throws {Failure} for everything that is neither a reply of the backend nor a 402 */
  async serve(purchase: Purchase): Promise<Response> {
    const admission = await this.deps.admission.admit(purchase).catch((error) => {
      const failure = Failure.from(error);
      if (failure.code === "payment_in_flight") purchase.rule.count("payment_duplicate");
      if (failure.code === "settlement_unknown") purchase.rule.count("settlement_unknown");
      throw failure;
    });
    switch (admission.kind) {
      case "refused":
        return refuse(purchase, admission.reason);
      case "repeated":
        return purchase.payment.identifier === undefined
          ? refuse(purchase, "payment_already_used")
          : await replayReply(this.deps.ledger, admission.id);
      case "fetch_again":
        purchase.rule.count("payment_redelivered");
        return await this.#serveSettled(purchase, admission.hold, admission.transaction ?? "");
      case "settle_again":
        return await this.#settleThenServe(purchase, admission.hold, admission.from);
      case "reserved":
        return purchase.access.terms.settle === "before-request"
          ? await this.#settleThenServe(purchase, admission.hold, "reserved")
          : await this.#serveThenSettle(purchase, admission.hold);
    }
  }

  async #serveThenSettle(purchase: Purchase, hold: Hold): Promise<Response> {
    const { books } = this.deps;
    const { payment, access, rule } = purchase;
    const invalid = await this.#verify(purchase, hold);
    if (invalid !== undefined) return refuse(purchase, invalid);
    await this.#advance(hold, "verified", { executions: 1 });
    const reply = await this.#execute(purchase, hold);
    if (reply.status >= 400) {
      rule.count("upstream_failed");
      await books.record(hold, "released", { reason: `the backend answered ${reply.status}` });
      return reply.finish([]);
    }
    let outcome: SettleOutcome;
    try {
      await this.#advance(hold, "settling", { claim: claimOf(purchase) });
      outcome = await this.#settle(purchase);
    } catch (error) {
      await reply.discard();
      throw error;
    }
    if (outcome.kind === "settled") {
      const { transaction } = outcome;
      await books.record(hold, "settled", { transaction });
      const receipt = receiptHeader(payment, access.terms, { success: true, transaction });
      return this.#deliver(purchase, hold, reply, receipt);
    }
    await reply.discard();
    return await this.#unsettled(purchase, hold, outcome, "executed");
  }

  /** @param from what the payment was before it became `settling` */
  async #settleThenServe(
    purchase: Purchase,
    hold: Hold,
    from: "reserved" | "executed" | "unknown",
  ): Promise<Response> {
    // Settlement verifies, so verifying first would only cost a round trip.
    if (from === "reserved") await this.#advance(hold, "settling", { claim: claimOf(purchase) });
    const outcome = await this.#settle(purchase);
    if (outcome.kind !== "settled") return await this.#unsettled(purchase, hold, outcome, from);
    const { transaction } = outcome;
    await this.deps.books.record(hold, "settled", { transaction, executions: 1 });
    return await this.#serveSettled(purchase, hold, transaction);
  }

  /** The backend's reply to what is paid for, whatever its status. */
  async #serveSettled(purchase: Purchase, hold: Hold, transaction: string): Promise<Response> {
    const { payment, access } = purchase;
    const receipt = receiptHeader(payment, access.terms, { success: true, transaction });
    try {
      const identity = identityHeaders(payment, access.terms, transaction || undefined);
      return this.#deliver(purchase, hold, await purchase.callBackend(identity), receipt);
    } catch (error) {
      purchase.rule.count("upstream_failed");
      const fields = { ...describe(purchase), transaction, error: String(error) };
      this.deps.log.error("charged, but the backend failed", fields);
      const executions = isUnreached(error) ? -1 : 0;
      await this.deps.books.record(hold, "undelivered", {
        reason: "the backend failed",
        executions,
      });
      throw Failure.from(error).withHeaders([receipt]);
    }
  }

  #deliver(purchase: Purchase, hold: Hold, reply: BackendReply, receipt: HeaderLine): Response {
    const { ledger, books, log } = this.deps;
    const response = reply.finish([receipt]);
    // Paid for, and got an error of the server: that is no reply to the buyer's question.
    const failed = reply.status >= 500;
    const kept = failed || purchase.payment.identifier === undefined
      ? { response, saved: Promise.resolve() }
      : keepReply(ledger, hold, response, log);
    reply.delivery.then(async (outcome) => {
      await kept.saved;
      if (failed) await books.record(hold, "undelivered", { reason: `status ${reply.status}` });
      else if (outcome === "delivered") await books.record(hold, "delivered");
      else await books.record(hold, "undelivered", { reason: "the connection broke" });
    });
    return kept.response;
  }

  /** Puts on record what is about to be done; without that it is not done. */
  async #advance(hold: Hold, to: "verified" | "settling", details: MoveDetails): Promise<void> {
    try {
      await this.deps.ledger.move(hold, to, details);
    } catch (error) {
      // Nobody goes on with it, so its lease has to run out.
      this.deps.ledger.abandon(hold);
      throw error;
    }
  }

  /** @returns the reason why the payment is invalid, or undefined */
  async #verify(purchase: Purchase, hold: Hold): Promise<string | undefined> {
    const { payment, access, resourceUrl, rule } = purchase;
    const { facilitator, books, signatures, metrics } = this.deps;
    const start = performance.now();
    try {
      const verdict = await facilitator.verify(payment, access.terms, resourceUrl);
      if (verdict.kind === "valid") return undefined;
      signatures.refused(purchase, verdict.reason);
      await books.record(hold, "rejected", { reason: verdict.reason });
      return verdict.reason;
    } catch (error) {
      rule.count("verification_error");
      await books.record(hold, "released", { reason: "the facilitator did not answer" });
      throw error;
    } finally {
      metrics.verificationDuration.observe(performance.now() - start);
    }
  }

  async #execute(purchase: Purchase, hold: Hold): Promise<BackendReply> {
    const { payment, access, rule } = purchase;
    try {
      return await purchase.callBackend(identityHeaders(payment, access.terms, undefined));
    } catch (error) {
      rule.count("upstream_failed");
      // Not reached: the payment is as good as new.
      const executions = isUnreached(error) ? -1 : 0;
      await this.deps.books.record(hold, "released", { reason: "the backend failed", executions });
      throw error;
    }
  }

  async #settle(purchase: Purchase): Promise<SettleOutcome> {
    const { payment, access, rule, resourceUrl } = purchase;
    const { facilitator, log } = this.deps;
    const outcome = await facilitator.settle(payment, access.terms, resourceUrl);
    const fields = describe(purchase);
    if (outcome.kind === "settled") {
      rule.count("payment_accepted");
      access.amounts.add(access.terms.networkV1 ?? access.terms.network, access.price);
      log.info("payment settled", { ...fields, transaction: outcome.transaction });
    } else if (outcome.kind === "refused") {
      rule.count("settlement_failed");
      log.warn("settlement refused", { ...fields, reason: outcome.reason });
    } else if (outcome.kind === "not_sent") {
      rule.count("settlement_failed");
      log.warn("settlement not sent", { ...fields, reason: outcome.failure.detail });
    } else {
      rule.count("settlement_unknown");
      const { code, detail } = outcome.failure;
      log.error("settlement outcome unknown", { ...fields, code, detail });
    }
    return outcome;
  }

  /** Refused: the terms again. Not sent, or nobody knows: 503, and no new terms. */
  async #unsettled(
    purchase: Purchase,
    hold: Hold,
    outcome: Exclude<SettleOutcome, { kind: "settled" }>,
    from: "reserved" | "executed" | "unknown",
  ): Promise<Response> {
    const { books, signatures, onDoubt } = this.deps;
    // After an attempt in doubt, a refusal ("nonce already used") may well be its success.
    if (outcome.kind === "refused" && from !== "unknown") {
      if (from === "reserved") signatures.refused(purchase, outcome.reason);
      await books.record(hold, "rejected", { reason: outcome.reason });
      return refuseSettlement(purchase, outcome.reason);
    }
    if (outcome.kind === "not_sent" && from !== "unknown") {
      const reason = "the facilitator cannot be reached";
      await books.record(hold, from === "executed" ? "executed" : "released", { reason });
      throw outcome.failure;
    }
    const detail = outcome.kind === "refused" ? outcome.reason : outcome.failure.detail;
    await books.record(hold, "unknown", { reason: detail.slice(0, 200) });
    onDoubt();
    throw new Failure("settlement_unknown", detail);
  }
}

/** Provably nothing of the request got to the backend. */
function isUnreached(error: unknown): boolean {
  return error instanceof UpstreamFailure && error.sent === "no";
}

function claimOf({ payment, access, resourceUrl }: Purchase): string {
  return writeClaim({ payment, terms: access.terms, resourceUrl });
}

function refuse(purchase: Purchase, reason: string): Response {
  const { access, rule, resourceUrl, method } = purchase;
  rule.count("payment_invalid");
  return access.challenge.refuse(resourceUrl, reason, method);
}

function refuseSettlement(purchase: Purchase, reason: string): Response {
  const { access, payment, resourceUrl, method } = purchase;
  const response = access.challenge.refuse(resourceUrl, reason, method);
  const settlement = { success: false, errorReason: reason } as const;
  response.headers.append(...receiptHeader(payment, access.terms, settlement));
  return response;
}

/** What identifies a payment in the log; the signature stays out. */
function describe({ rule, access, payment }: Purchase) {
  const { route, pattern } = rule;
  const { payer, nonce } = payment.authorization;
  const { network, asset, amount, payTo } = access.terms;
  const name = `${route.namespace}/${route.name}`;
  return { route: name, path: pattern, payer, nonce, amount, asset, network, payTo };
}
