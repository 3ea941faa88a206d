import type { Hold, MoveDetails, PaymentLedger } from "../../store/ledger/payment_ledger.ts";
import type { Logger } from "../../store/log.ts";
import { Failure } from "../failures.ts";
import { UpstreamFailure } from "../upstream/transport.ts";
import type { Admission, PaymentAdmission } from "./admission.ts";
import type { SettleOutcome } from "../facilitator/facilitator_client.ts";
import { keepReply, replay, replayReply } from "./kept_reply.ts";
import type { PaymentBooks } from "./payment_books.ts";
import { describePurchase, type PaymentCalls } from "./payment_calls.ts";
import type { BackendReply, Purchase } from "./purchase.ts";
import type { Reply } from "../front/reply.ts";
import type { HeaderLine } from "../http1/header_fields.ts";
import { identityHeaders, receiptHeader } from "./receipt.ts";
import { writeClaim } from "./settlement_claim.ts";

export interface PaymentFlowDeps {
  readonly admission: PaymentAdmission;
  readonly calls: PaymentCalls;
  readonly ledger: PaymentLedger;
  readonly books: PaymentBooks;
  readonly log: Logger;
  /** Told when a settlement is in doubt, so that somebody finds out. */
  readonly onDoubt: () => void;
}

type Reserved = Extract<Admission, { readonly kind: "reserved" }>;

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
  async serve(purchase: Purchase): Promise<Reply> {
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
        return await this.#fetchAgain(purchase, admission.hold, admission.transaction ?? "");
      case "settle_again":
        return await this.#settleThenServe(purchase, admission.hold, admission.from);
      case "reserved":
        return purchase.access.terms.settle === "before-request"
          ? await this.#admitThenSettle(purchase, admission)
          : await this.#serveThenSettle(purchase, admission);
    }
  }

  async #serveThenSettle(purchase: Purchase, reserved: Reserved): Promise<Reply> {
    const { books } = this.deps;
    const { hold } = reserved;
    const invalid = await this.#verify(purchase, hold);
    if (invalid !== undefined) return refuse(purchase, invalid);
    await this.#claimName(reserved);
    await this.#advance(hold, "verified", { executions: 1 });
    const reply = await this.#execute(purchase, hold);
    if (reply.status >= 400) {
      purchase.rule.count("upstream_failed");
      await books.record(hold, "released", { reason: `the backend answered ${reply.status}` });
      return reply.finish([]);
    }
    let outcome: SettleOutcome;
    try {
      await this.#advance(hold, "settling", { claim: claimOf(purchase) });
      outcome = await this.deps.calls.settle(purchase, true);
      if (outcome.kind === "settled") await books.record(hold, "settled", outcome);
    } catch (error) {
      reply.discard();
      throw error;
    }
    if (outcome.kind === "settled") {
      return await this.#deliver(purchase, hold, reply, outcome.transaction);
    }
    reply.discard();
    return await this.#unsettled(purchase, hold, outcome, "executed");
  }

  async #admitThenSettle(purchase: Purchase, reserved: Reserved): Promise<Reply> {
    const { hold } = reserved;
    // Settlement verifies, so verifying first would only cost a round trip; but for signatures of
    // unusual forms facilitators have no proper answer, and each would be a payment in doubt.
    if (!hasUsualSignature(purchase)) {
      const invalid = await this.#verify(purchase, hold);
      if (invalid !== undefined) return refuse(purchase, invalid);
    }
    await this.#claimName(reserved);
    await this.#advance(hold, "settling", { claim: claimOf(purchase) });
    return await this.#settleThenServe(purchase, hold, "reserved");
  }

  /** @param from what the payment was before it became `settling` */
  async #settleThenServe(
    purchase: Purchase,
    hold: Hold,
    from: "reserved" | "executed" | "unknown",
  ): Promise<Reply> {
    const outcome = await this.deps.calls.settle(purchase, from !== "reserved");
    if (outcome.kind !== "settled") return await this.#unsettled(purchase, hold, outcome, from);
    const { transaction } = outcome;
    await this.deps.books.record(hold, "settled", { transaction, executions: 1 });
    return await this.#serveSettled(purchase, hold, transaction);
  }

  /** A reply that was kept need not be made again. */
  async #fetchAgain(purchase: Purchase, hold: Hold, transaction: string): Promise<Reply> {
    const { ledger, books } = this.deps;
    const kept = purchase.payment.identifier !== undefined && await ledger.findReply(hold.id);
    if (!kept) return await this.#serveSettled(purchase, hold, transaction);
    await books.record(hold, "delivered", { executions: -1 });
    return replay(kept);
  }

  /** The backend's reply to what is paid for, whatever its status. */
  async #serveSettled(purchase: Purchase, hold: Hold, transaction: string): Promise<Reply> {
    const { payment, access } = purchase;
    let reply: BackendReply;
    try {
      const identity = identityHeaders(payment, access.terms, transaction || undefined);
      reply = await purchase.callBackend(identity);
    } catch (error) {
      purchase.rule.count("upstream_failed");
      throw await this.#owe(purchase, hold, transaction, error);
    }
    return await this.#deliver(purchase, hold, reply, transaction);
  }

  async #deliver(
    purchase: Purchase,
    hold: Hold,
    reply: BackendReply,
    transaction: string,
  ): Promise<Reply> {
    const { ledger, log } = this.deps;
    let response: Reply;
    try {
      response = reply.finish([receiptOf(purchase, transaction)]);
    } catch (error) {
      throw await this.#owe(purchase, hold, transaction, error);
    }
    // Paid for, and got an error of the server: that is no reply to the buyer's question.
    const failed = reply.status >= 500;
    const kept = failed || purchase.payment.identifier === undefined
      ? { response, saved: Promise.resolve() }
      : keepReply(ledger, hold, response, log);
    reply.delivery.then(async (outcome) => {
      await kept.saved;
      if (failed) await this.#note(hold, "undelivered", `status ${reply.status}`);
      else if (outcome === "delivered") await this.#note(hold, "delivered");
      else await this.#note(hold, "undelivered", "the connection broke");
    });
    return kept.response;
  }

  /** Charged, and nothing to show for it: the buyer gets the receipt, and may fetch the reply later. */
  async #owe(
    purchase: Purchase,
    hold: Hold,
    transaction: string,
    error: unknown,
  ): Promise<Failure> {
    const fields = { ...describePurchase(purchase), transaction, error: String(error) };
    this.deps.log.error("charged, but the backend failed", fields);
    const executions = isUnreached(error) ? -1 : 0;
    const details = { reason: "the backend failed", executions } as const;
    await this.deps.books.record(hold, "undelivered", details);
    return Failure.from(error).withHeaders([receiptOf(purchase, transaction)]);
  }

  /** For the time after the reply; who has taken the payment over knows better what became of it. */
  async #note(hold: Hold, to: "delivered" | "undelivered", reason?: string): Promise<void> {
    await this.deps.books.record(hold, to, reason === undefined ? {} : { reason }).catch(() => {});
  }

  /** @throws {Failure} when the identifier has come to stand for another payment in the meantime */
  async #claimName({ hold, claimName }: Reserved): Promise<void> {
    const claimed = await claimName().catch((error) => {
      this.deps.ledger.abandon(hold);
      throw error;
    });
    if (claimed) return;
    await this.deps.books.record(hold, "released", { reason: "its identifier is in use" });
    throw new Failure("payment_in_flight", hold.id);
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
    const { books, calls } = this.deps;
    try {
      const reason = await calls.verify(purchase);
      if (reason !== undefined) await books.record(hold, "rejected", { reason });
      return reason;
    } catch (error) {
      await books.record(hold, "released", { reason: "the facilitator did not answer" });
      throw error;
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

  /** Refused: the terms again. Not sent, or nobody knows: 503, and no new terms. */
  async #unsettled(
    purchase: Purchase,
    hold: Hold,
    outcome: Exclude<SettleOutcome, { kind: "settled" }>,
    from: "reserved" | "executed" | "unknown",
  ): Promise<Reply> {
    const { books, onDoubt } = this.deps;
    // After an attempt in doubt, a refusal ("nonce already used") may well be its success.
    if (outcome.kind === "refused" && from !== "unknown") {
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

/** That of a key of its own; wallets that are contracts have longer ones. */
function hasUsualSignature({ payment }: Purchase): boolean {
  return payment.message.payload.signature.length === 2 + 65 * 2;
}

function receiptOf({ payment, access }: Purchase, transaction: string): HeaderLine {
  return receiptHeader(payment, access.terms, { success: true, transaction });
}

function claimOf({ payment, access, resourceUrl }: Purchase): string {
  return writeClaim({ payment, terms: access.terms, resourceUrl });
}

function refuse(purchase: Purchase, reason: string): Reply {
  const { access, rule, resourceUrl } = purchase;
  rule.count("payment_invalid");
  purchase.noteRefused();
  return access.challenge.refuse(resourceUrl, reason);
}

function refuseSettlement(purchase: Purchase, reason: string): Reply {
  const { access, payment, resourceUrl } = purchase;
  purchase.noteRefused();
  const response = access.challenge.refuse(resourceUrl, reason);
  const settlement = { success: false, errorReason: reason } as const;
  return response.adding([receiptHeader(payment, access.terms, settlement)]);
}
