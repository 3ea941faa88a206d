import type { LogFields, Logger } from "../../store/log.ts";
import type { Metrics } from "../../store/metrics.ts";
import type { PaymentReservations } from "../../store/payment_reservations.ts";
import { Failure } from "../failures.ts";
import type { CompiledRule, PaidAccess } from "../routing/compiled_rule.ts";
import { UpstreamFailure } from "../upstream/transport.ts";
import type { FacilitatorClient, SettleOutcome } from "./facilitator.ts";
import type { Payment } from "./payment_header.ts";
import { paymentId, refusePayment } from "./payment_checks.ts";
import { type HeaderLine, identityHeaders, receiptHeader } from "./receipt.ts";

/** One request that carries a payment. */
export interface Purchase {
  readonly rule: CompiledRule;
  readonly access: PaidAccess;
  readonly payment: Payment;
  readonly method: string;
  /** Absolute public URL of what is being bought. */
  readonly resourceUrl: string;
  /**
   * Calls the backend, once, adding these headers. Must not be cut short when the client leaves:
   * what the backend has begun is settled.
   * @throws {UpstreamFailure}
   */
  callBackend(identity: HeaderLine[]): Promise<BackendReply>;
}

/** The head of the backend's reply, not yet sent on. */
export interface BackendReply {
  readonly status: number;
  /** Sends it to the client with these headers added. Called at most once. */
  finish(extra: HeaderLine[]): Response;
  /** Throws it away and frees the connection. */
  discard(): Promise<void>;
}

export interface PaymentFlowDeps {
  readonly facilitator: FacilitatorClient;
  readonly reservations: PaymentReservations;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/**
 * The payment state machine: the only file that decides about money.
 *
 * ```
 * settle: after-response
 *   reserved ─ verify ─> verified ─ backend ─> executed ─ settle ─> settled: reply + receipt
 *      │ invalid: 402       │ never sent: 502      │ status >= 400     │ refused: 402, reply discarded
 *      │ outage: 50x        │                      │  not charged,     │ unknown: 503, reply discarded
 *      v                    v                      v  reply passed on  │ not sent: 503, reply discarded
 *   released             released                spent                 v
 *                                                                    spent / unknown
 *
 * settle: before-request
 *   reserved ─ settle ─> settled ─ backend ─> reply + receipt, whatever its status
 *      │ refused: 402       │ fails: 50x + receipt
 *      │ not sent: 503      v
 *      │ unknown: 503     spent
 *      v
 *   released / unknown
 * ```
 *
 * Invariants: one payment calls the backend at most once and is sent to `/settle` at most once,
 * because both happen only between "reserved" and its end, and every end but `released` is final.
 * `released` is reached only where neither has happened. A facilitator outage is never a 402: the
 * buyer would sign and pay a second time.
 */
export class PaymentFlow {
  readonly #settling = new Set<LogFields>();

  constructor(private readonly deps: PaymentFlowDeps) {}

  /** For the end of the process: says of which payments the outcome will not be known here. */
  abandon(): void {
    for (const fields of this.#settling) {
      this.deps.log.error("settlement outcome unknown", { ...fields, code: "shutdown" });
    }
  }

  /** @throws {Failure} for everything that is neither a reply of the backend nor a 402 */
  async serve(purchase: Purchase): Promise<Response> {
    const { payment, access, rule } = purchase;
    const now = BigInt(Math.floor(Date.now() / 1000));
    const refusal = refusePayment(payment, access.terms, now);
    if (refusal !== undefined) return refuse(purchase, refusal);
    const id = paymentId(payment.authorization, access.terms);
    const { reservations } = this.deps;
    switch (await reservations.reserve(id, payment.authorization.validBefore)) {
      case "in_flight":
        rule.count("payment_duplicate");
        throw new Failure("payment_in_flight", id);
      case "spent":
        return refuse(purchase, "payment_already_used");
      case "unknown":
        rule.count("settlement_unknown");
        throw new Failure("settlement_unknown", id);
    }
    const reserved = new ReservedPayment();
    try {
      return access.terms.settle === "before-request"
        ? await this.#settleThenServe(purchase, reserved)
        : await this.#serveThenSettle(purchase, reserved);
    } finally {
      if (reserved.end === "released") await reservations.release(id);
      else await reservations.close(id, reserved.end);
    }
  }

  async #serveThenSettle(purchase: Purchase, reserved: ReservedPayment): Promise<Response> {
    const { payment, access, rule } = purchase;
    const invalid = await this.#verify(purchase);
    if (invalid !== undefined) return refuse(purchase, invalid);
    const identity = identityHeaders(payment, access.terms, undefined);
    const reply = await this.#execute(purchase, reserved, identity);
    if (reply.status >= 400) {
      rule.count("upstream_failed");
      return reply.finish([]);
    }
    const outcome = await this.#settle(purchase, reserved);
    if (outcome.kind === "settled") {
      const { transaction } = outcome;
      return reply.finish([receiptHeader(payment, access.terms, { success: true, transaction })]);
    }
    await reply.discard();
    return refuseSettlement(purchase, outcome);
  }

  async #settleThenServe(purchase: Purchase, reserved: ReservedPayment): Promise<Response> {
    const { payment, access } = purchase;
    // Settlement verifies, so verifying first would only cost a round trip.
    const outcome = await this.#settle(purchase, reserved);
    if (outcome.kind !== "settled") {
      if (outcome.kind === "refused") reserved.end = "released";
      return refuseSettlement(purchase, outcome);
    }
    const { transaction } = outcome;
    const receipt = receiptHeader(payment, access.terms, { success: true, transaction });
    try {
      const identity = identityHeaders(payment, access.terms, transaction);
      return (await this.#execute(purchase, reserved, identity)).finish([receipt]);
    } catch (error) {
      reserved.end = "spent";
      const fields = { ...describePayment(purchase), transaction, error: String(error) };
      this.deps.log.error("charged, but the backend failed", fields);
      throw Failure.from(error).withHeaders([receipt]);
    }
  }

  /** @returns the reason why the payment is invalid, or undefined */
  async #verify({ payment, access, resourceUrl, rule }: Purchase): Promise<string | undefined> {
    const start = performance.now();
    try {
      const verdict = await this.deps.facilitator.verify(payment, access.terms, resourceUrl);
      return verdict.kind === "invalid" ? verdict.reason : undefined;
    } catch (error) {
      rule.count("verification_error");
      throw error;
    } finally {
      this.deps.metrics.verificationDuration.observe(performance.now() - start);
    }
  }

  async #execute(
    purchase: Purchase,
    reserved: ReservedPayment,
    identity: HeaderLine[],
  ): Promise<BackendReply> {
    // Spent first: whatever goes wrong from here on, the backend may have acted.
    reserved.end = "spent";
    try {
      return await purchase.callBackend(identity);
    } catch (error) {
      purchase.rule.count("upstream_failed");
      if (error instanceof UpstreamFailure && error.sent === "no") reserved.end = "released";
      throw error;
    }
  }

  async #settle(purchase: Purchase, reserved: ReservedPayment): Promise<SettleOutcome> {
    const { payment, access, rule, resourceUrl } = purchase;
    const { facilitator, log } = this.deps;
    const unsettled = reserved.end;
    // Unknown first: an exception on the way must not make the payment usable again.
    reserved.end = "unknown";
    const fields = describePayment(purchase);
    this.#settling.add(fields);
    const outcome = await facilitator.settle(payment, access.terms, resourceUrl)
      .finally(() => this.#settling.delete(fields));
    if (outcome.kind === "settled") {
      rule.count("payment_accepted");
      access.amounts.add(access.terms.networkV1 ?? access.terms.network, access.price);
      log.info("payment settled", { ...fields, transaction: outcome.transaction });
    } else if (outcome.kind === "refused") {
      rule.count("settlement_failed");
      log.warn("settlement refused", { ...fields, reason: outcome.reason });
    } else if (outcome.kind === "not_sent") {
      rule.count("settlement_failed");
      reserved.end = unsettled;
      if (unsettled === "spent") log.error("backend called, but settlement not sent", fields);
      return outcome;
    } else {
      rule.count("settlement_unknown");
      const { code, detail } = outcome.failure;
      log.error("settlement outcome unknown", { ...fields, code, detail });
      return outcome;
    }
    reserved.end = "spent";
    return outcome;
  }
}

/** How a reservation ends; until something irreversible is tried it can be given back. */
class ReservedPayment {
  end: "released" | "spent" | "unknown" = "released";
}

function refuse(purchase: Purchase, reason: string): Response {
  const { access, rule, resourceUrl, method } = purchase;
  rule.count("payment_invalid");
  return access.challenge.refuse(resourceUrl, reason, method);
}

/** Refused: the terms again. Not sent, or nobody knows: 503, and no new terms. */
function refuseSettlement(
  purchase: Purchase,
  outcome: Exclude<SettleOutcome, { kind: "settled" }>,
): Response {
  if (outcome.kind !== "refused") throw outcome.failure;
  const { access, payment, resourceUrl, method } = purchase;
  const response = access.challenge.refuse(resourceUrl, outcome.reason, method);
  const settlement = { success: false, errorReason: outcome.reason } as const;
  response.headers.append(...receiptHeader(payment, access.terms, settlement));
  return response;
}

/** What identifies a payment in the log; the signature stays out. */
function describePayment({ rule, access, payment }: Purchase) {
  const { route, pattern } = rule;
  const { payer, nonce } = payment.authorization;
  const { network, asset, amount, payTo } = access.terms;
  const name = `${route.namespace}/${route.name}`;
  return { route: name, path: pattern, payer, nonce, amount, asset, network, payTo };
}
