import type { PaymentIdentifiers } from "../../store/ledger/payment_identifiers.ts";
import type { FindOptions, PaymentLedger, Reservation } from "../../store/ledger/payment_ledger.ts";
import { type NewPayment, paymentKey } from "../../store/ledger/payment_record.ts";
import { Failure } from "../failures.ts";
import { paymentIdentity, refuseExpired, refusePayment } from "./payment_checks.ts";
import type { Purchase } from "./purchase.ts";
import { signatureProof } from "./request_digest.ts";
import type { SignatureGuard } from "./signature_guard.ts";

/** What came of a payment before anything was done with it. */
export type Admission =
  /** For the buyer to sign anew: a reason of the specification or one of ours. */
  | { readonly kind: "refused"; readonly reason: string }
  /** The reply to this very purchase has been delivered, and may have been kept under this key. */
  | { readonly kind: "repeated"; readonly id: string }
  | Extract<Reservation, { readonly kind: "reserved" | "fetch_again" | "settle_again" }>;

/**
 * From a payment to the right to go on with it. What is cheap comes first: garbage costs neither a
 * facilitator call nor a write to the ledger.
 */
export class PaymentAdmission {
  constructor(
    private readonly ledger: PaymentLedger,
    private readonly identifiers: PaymentIdentifiers,
    private readonly signatures: SignatureGuard,
    /** ms since 1970 */
    private readonly now: () => number = Date.now,
  ) {}

  /** @throws {Failure} when the outcome of a payment has to be waited for, or cannot be told */
  async admit(purchase: Purchase): Promise<Admission> {
    const { payment, access } = purchase;
    const refusal = refusePayment(payment, access.terms, purchase);
    if (refusal !== undefined) return { kind: "refused", reason: refusal };
    await this.signatures.check(purchase);
    const expired = refuseExpired(payment.authorization, seconds(this.now()));
    const digest = await purchase.digest();
    const wanted = describePayment(purchase, digest);
    const own: FindOptions = { mayCharge: expired === undefined };
    const options = payment.identifier === undefined
      ? own
      : await this.#identify(purchase, wanted, own);
    if (options === undefined) return { kind: "refused", reason: "invalid_signature" };
    const reservation = options.mayCharge
      ? await this.ledger.reserve(wanted)
      : await this.ledger.find(wanted, options);
    if (reservation.kind === "absent" && options.id !== undefined) {
      // A twin has just claimed the identifier and is about to reserve its payment.
      throw new Failure("payment_in_flight", options.id);
    }
    return decide(reservation, options.id ?? paymentKey(wanted), expired);
  }

  /**
   * Which payment an identifier leads to: the one that came with it, or one before that asked for
   * the same. Then nothing is charged for the new one, whose payer only has to be genuine.
   * @returns undefined when that is not so
   */
  async #identify(
    purchase: Purchase,
    wanted: NewPayment,
    own: FindOptions,
  ): Promise<FindOptions | undefined> {
    const { identifier } = purchase.payment;
    if (wanted.requestDigest === undefined) {
      throw new Failure("request_not_repeatable", "a body that is not read whole");
    }
    // Apart by payer and route: what strangers call their payments must not matter.
    const key = `${wanted.route}/${wanted.payer}/${identifier}`;
    const request = `${wanted.requestDigest}/${wanted.path}/${wanted.amount}/${wanted.asset}`;
    const claim = await this.identifiers.claim(key, paymentKey(wanted), request);
    switch (claim.kind) {
      case "claimed":
        return own;
      case "conflict":
        throw new Failure("identifier_conflict", key);
      case "same_request":
        return await this.signatures.isGenuine(purchase)
          ? { id: claim.paymentId, proven: true }
          : undefined;
    }
  }
}

function decide(reservation: Reservation, id: string, expired: string | undefined): Admission {
  switch (reservation.kind) {
    case "reserved":
    case "fetch_again":
    case "settle_again":
      return reservation;
    case "in_flight":
      throw new Failure("payment_in_flight", id);
    case "unknown":
      throw new Failure("settlement_unknown", id);
    case "bound_elsewhere":
      return { kind: "refused", reason: "payment_used_elsewhere" };
    case "used":
      return reservation.delivered
        ? { kind: "repeated", id }
        : { kind: "refused", reason: "payment_already_used" };
    case "absent":
      return { kind: "refused", reason: expired ?? "payment_already_used" };
  }
}

function describePayment(purchase: Purchase, digest: string | undefined): NewPayment {
  const { payment: { authorization, message }, access: { terms }, rule } = purchase;
  return {
    ...paymentIdentity(authorization, terms),
    route: `${rule.route.namespace}/${rule.route.name}`,
    path: rule.pattern,
    httpMethod: purchase.method,
    host: purchase.host,
    amount: BigInt(terms.amount),
    price: terms.price,
    payTo: terms.payTo,
    facilitatorUrl: terms.facilitatorUrl,
    validBefore: authorization.validBefore,
    proof: signatureProof(message.payload.signature),
    ...(digest !== undefined && { requestDigest: digest }),
  };
}

function seconds(ms: number): bigint {
  return BigInt(Math.floor(ms / 1000));
}
