import type { LogFields, Logger } from "../../store/log.ts";
import type { Metrics } from "../../store/metrics.ts";
import type { FacilitatorClient, SettleOutcome } from "../facilitator/facilitator_client.ts";
import { FacilitatorFailure } from "../facilitator/facilitator_failure.ts";
import { settleFields, verifyFields } from "../span_fields.ts";
import { traced } from "../tracing.ts";
import type { Purchase } from "./purchase.ts";
import type { SignatureGuard } from "./signature_guard.ts";

interface PaymentCallsDeps {
  readonly facilitator: FacilitatorClient;
  readonly signatures: SignatureGuard;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** What a facilitator is asked about a payment, with all that is counted, logged and learnt of it. */
export class PaymentCalls {
  constructor(private readonly deps: PaymentCallsDeps) {}

  /**
   * @returns the reason why the payment is invalid, or undefined
   * @throws {Failure} when there is no answer
   */
  async verify(purchase: Purchase): Promise<string | undefined> {
    const { payment, access, resourceUrl, rule } = purchase;
    const { facilitator, signatures, metrics } = this.deps;
    const start = performance.now();
    try {
      const verdict = await traced(
        "verify",
        () => facilitator.verify(payment, access.terms, resourceUrl),
        (verdict) => verifyFields(purchase, verdict),
      );
      if (verdict.kind === "valid") return undefined;
      await signatures.refused(purchase, verdict.reason);
      return verdict.reason;
    } catch (error) {
      rule.count("verification_error");
      const unasked = error instanceof FacilitatorFailure && error.sent === "no";
      if (!unasked) await signatures.unanswered(purchase);
      throw error;
    } finally {
      metrics.verificationDuration.observe(performance.now() - start);
    }
  }

  /** @param verified by this facilitator or by a settlement that was tried before */
  async settle(purchase: Purchase, verified: boolean): Promise<SettleOutcome> {
    const { payment, access, rule, resourceUrl } = purchase;
    const { facilitator, signatures, log } = this.deps;
    const outcome = await traced(
      "settle",
      () => facilitator.settle(payment, access.terms, resourceUrl),
      (outcome) => settleFields(purchase, outcome),
    );
    access.settlements.add(outcome.kind);
    const fields = describePurchase(purchase);
    switch (outcome.kind) {
      case "settled":
        rule.count("payment_accepted");
        access.amounts.add(access.terms.networkV1 ?? access.terms.network, access.price);
        log.info("payment settled", { ...fields, transaction: outcome.transaction });
        break;
      case "refused":
        rule.count("settlement_failed");
        log.warn("settlement refused", { ...fields, reason: outcome.reason });
        if (!verified) await signatures.refused(purchase, outcome.reason);
        break;
      case "not_sent":
        rule.count("settlement_failed");
        log.warn("settlement not sent", { ...fields, reason: outcome.failure.detail });
        break;
      case "unknown": {
        rule.count("settlement_unknown");
        const { code, detail } = outcome.failure;
        log.error("settlement outcome unknown", { ...fields, code, detail });
        if (!verified) await signatures.unanswered(purchase);
      }
    }
    return outcome;
  }
}

/** What identifies a payment in the log; the signature stays out. */
export function describePurchase({ rule, access, payment }: Purchase): LogFields {
  const { route, pattern } = rule;
  const { payer, nonce } = payment.authorization;
  const { network, asset, amount, payTo } = access.terms;
  const name = `${route.namespace}/${route.name}`;
  return { route: name, path: pattern, payer, nonce, amount, asset, network, payTo };
}
