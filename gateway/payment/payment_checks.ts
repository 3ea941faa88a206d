import type { PaymentTerms } from "../../store/route_snapshot.ts";
import type { Authorization, Payment } from "./payment_header.ts";
import type { PaymentV2 } from "./wire.ts";

/** Seconds that an authorization must still have: facilitators refuse under 6 s left. */
const minSecondsLeft = 6n;

/**
 * What can be refused without a facilitator: the payment is not one of the offered terms, or its
 * signed authorization does not say what the terms say. The facilitator does not compare the
 * payload's `accepted` with the requirements, so a payment for other terms must end here.
 *
 * @param now Unix time in seconds
 * @returns a reason from the specification's list (x402-specification-v2.md, section 9), or undefined
 */
export function refusePayment(
  payment: Payment,
  terms: PaymentTerms,
  now: bigint,
): string | undefined {
  return refuseOffer(payment.message, terms) ??
    refuseAuthorization(payment.authorization, terms, now);
}

function refuseOffer(message: Payment["message"], terms: PaymentTerms): string | undefined {
  if (message.x402Version === 2) return refuseAccepted(message.accepted, terms);
  if (message.scheme !== terms.scheme) return "unsupported_scheme";
  return message.network === terms.networkV1 ? undefined : "invalid_network";
}

function refuseAccepted(
  accepted: PaymentV2["accepted"],
  terms: PaymentTerms,
): string | undefined {
  if (accepted.scheme !== terms.scheme) return "unsupported_scheme";
  if (accepted.network !== terms.network) return "invalid_network";
  const equal = accepted.amount === terms.amount &&
    sameAddress(accepted.asset, terms.asset) &&
    sameAddress(accepted.payTo, terms.payTo) &&
    accepted.maxTimeoutSeconds === terms.maxTimeoutSeconds &&
    // Buyers may add keys to `extra`, not change ours.
    Object.entries(terms.extra).every(([key, value]) => accepted.extra?.[key] === value);
  return equal ? undefined : "invalid_payment_requirements";
}

function refuseAuthorization(
  authorization: Authorization,
  terms: PaymentTerms,
  now: bigint,
): string | undefined {
  const { method, token, payTo, amount, validAfter, validBefore } = authorization;
  if (method !== (terms.extra.assetTransferMethod ?? "eip3009")) return "invalid_payload";
  if (token !== undefined && !sameAddress(token, terms.asset)) {
    return "invalid_payment_requirements";
  }
  if (!sameAddress(payTo, terms.payTo)) return "invalid_exact_evm_payload_recipient_mismatch";
  if (amount !== BigInt(terms.amount)) {
    return "invalid_exact_evm_payload_authorization_value_mismatch";
  }
  if (validAfter > now) return "invalid_exact_evm_payload_authorization_valid_after";
  if (validBefore < now + minSecondsLeft) {
    return "invalid_exact_evm_payload_authorization_valid_before";
  }
  return undefined;
}

function sameAddress(a: string, b: string): boolean {
  return a === b || a.toLowerCase() === b.toLowerCase();
}

/**
 * The identity of a payment: what the chain lets happen once. Not the header's bytes, which a buyer
 * can vary without signing again.
 */
export function paymentId(authorization: Authorization, terms: PaymentTerms): string {
  const { method, payer, nonce } = authorization;
  return `${terms.network}/${terms.asset.toLowerCase()}/${method}/${payer}/${nonce}`;
}
