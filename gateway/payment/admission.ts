import type { PaymentIdentifiers } from "../../store/ledger/payment_identifiers.ts";
import type { FindOptions, PaymentLedger, Reservation } from "../../store/ledger/payment_ledger.ts";
import { type NewPayment, paymentKey } from "../../store/ledger/payment_record.ts";
import { Failure } from "../failures.ts";
import { paymentIdentity, refuseExpired, refusePayment, termsReasons } from "./payment_checks.ts";
import type { Purchase } from "./purchase.ts";
import { signatureProof } from "./request_digest.ts";
import type { SignatureGuard } from "./signature_guard.ts";

/** What came of a payment before anything was done with it. */
export type Admission =
  /** For the buyer to sign anew: a reason of the specification or one of ours. */
  | { readonly kind: "refused"; readonly reason: string }
  /** The reply to this very purchase has been delivered, and may have been kept under this key. */
  | { readonly kind: "repeated"; readonly id: string }
  /** `claimName` takes the payment's identifier, once its payer is known to have signed it. */
  | {
    readonly kind: "reserved";
    readonly hold: Extract<Reservation, { kind: "reserved" }>["hold"];
    claimName(): Promise<boolean>;
  }
  | Extract<Reservation, { readonly kind: "fetch_again" | "settle_again" }>;

/**
 * From a payment to the right to go on with it. What is cheap comes first: garbage costs neither a
 * facilitator call nor, beyond one row, a write to the ledger.
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
    if (refusal !== undefined && !termsReasons.has(refusal)) return refused(refusal);
    await this.signatures.check(purchase);
    const wanted = describePayment(purchase, await purchase.digest());
    // The terms may have changed since a reply was paid for that has not arrived.
    if (refusal !== undefined) return await this.#admitOwed(wanted, refusal);
    const { maxTimeoutSeconds } = access.terms;
    const expired = refuseExpired(payment.authorization, seconds(this.now()), maxTimeoutSeconds);
    const named = wanted.identifier === undefined
      ? undefined
      : await this.#findNamed(purchase, wanted);
    if (named !== undefined) return named;
    const reservation = expired === undefined
      ? await this.ledger.reserve(wanted)
      : await this.ledger.find(wanted);
    return this.#decide(reservation, wanted, expired ?? "payment_already_used");
  }

  async #admitOwed(wanted: NewPayment, refusal: string): Promise<Admission> {
    const owed = await this.ledger.find(wanted);
    return owed.kind === "fetch_again" ? owed : refused(refusal);
  }

  /**
   * What an identifier says that stands for another payment. Then nothing is charged for the new one,
   * whose payer only has to be genuine.
   */
  async #findNamed(purchase: Purchase, wanted: NewPayment): Promise<Admission | undefined> {
    const { identifier = "", requestDigest } = wanted;
    if (requestDigest === undefined) {
      throw new Failure("request_not_repeatable", "a body that is not read whole");
    }
    const meaning = await this.identifiers.find(identifier, paymentKey(wanted), requestOf(wanted));
    if (meaning.kind === "free") return undefined;
    if (meaning.kind === "conflict") throw new Failure("identifier_conflict", identifier);
    if (!await this.signatures.isGenuine(purchase)) return refused("invalid_signature");
    const options: FindOptions = { id: meaning.paymentId, proven: true };
    const reservation = await this.ledger.find(wanted, options);
    // It was over for so long that it is not on record any more.
    if (reservation.kind === "absent") throw new Failure("reply_not_kept", meaning.paymentId);
    return this.#decide(reservation, wanted, "payment_already_used", meaning.paymentId);
  }

  #decide(
    reservation: Reservation,
    wanted: NewPayment,
    absent: string,
    id = paymentKey(wanted),
  ): Admission {
    switch (reservation.kind) {
      case "reserved":
        return { ...reservation, claimName: () => this.#claimName(wanted) };
      case "fetch_again":
      case "settle_again":
        return reservation;
      case "in_flight":
        throw new Failure("payment_in_flight", id);
      case "unknown":
        throw new Failure("settlement_unknown", id);
      case "lost":
        throw new Failure("reply_lost", id);
      case "bound_elsewhere":
        return refused("payment_used_elsewhere");
      case "used":
        return reservation.delivered ? { kind: "repeated", id } : refused("payment_already_used");
      case "absent":
        return refused(absent);
    }
  }

  async #claimName(wanted: NewPayment): Promise<boolean> {
    if (wanted.identifier === undefined) return true;
    return await this.identifiers.claim(wanted.identifier, paymentKey(wanted), requestOf(wanted));
  }
}

function refused(reason: string): Admission {
  return { kind: "refused", reason };
}

/** What an identifier stands for: the request, and what it costs. */
function requestOf({ requestDigest, path, amount, asset }: NewPayment): string {
  return `${requestDigest}/${path}/${amount}/${asset}`;
}

function describePayment(purchase: Purchase, digest: string | undefined): NewPayment {
  const { payment: { authorization, identifier, message }, access: { terms }, rule } = purchase;
  const route = `${rule.route.namespace}/${rule.route.name}`;
  return {
    ...paymentIdentity(authorization, terms),
    route,
    path: rule.pattern,
    httpMethod: purchase.method,
    host: purchase.host,
    // What was signed; for a payment that is reserved, the same as the terms'.
    amount: authorization.amount,
    price: terms.price,
    payTo: terms.payTo,
    facilitatorUrl: terms.facilitatorUrl,
    validBefore: authorization.validBefore,
    proof: signatureProof(message.payload.signature),
    ...(digest !== undefined && { requestDigest: digest }),
    // Apart by payer and route: what strangers call their payments must not matter.
    ...(identifier !== undefined && {
      identifier: `${route}/${authorization.payer}/${identifier}`,
    }),
  };
}

function seconds(ms: number): bigint {
  return BigInt(Math.floor(ms / 1000));
}
