import type { PaymentIdentity } from "../../store/ledger/payment_record.ts";
import type { PaymentTerms } from "../../store/route_snapshot.ts";
import type { Authorization, Payment } from "./payment_header.ts";
import type { PaymentV2 } from "./wire.ts";

/** Seconds that an authorization must still have: facilitators refuse under 6 s left. */
const minSecondsLeft = 6n;
/** Beyond the offer's own time; what stays valid for ever would have to be remembered for ever. */
const maxSecondsMore = 86_400n;

/** Refusals that a payment can get because the offer has changed since. */
export const termsReasons: ReadonlySet<string> = new Set([
  "invalid_payment_requirements",
  "invalid_exact_evm_payload_authorization_value_mismatch",
  "invalid_exact_evm_payload_recipient_mismatch",
]);

/** What is sold: whether a payment that names a resource was offered for it. */
export interface Resource {
  /** Absolute public URL of what is asked for. */
  readonly resourceUrl: string;
  /** Whether a path on the same host is sold under the same rule. */
  isSoldHere(path: string): boolean;
}

/**
 * What can be refused without a facilitator: the payment is not one of the offered terms, was
 * offered for something else, or its signed authorization does not say what the terms say. The
 * facilitator does not compare the payload's `accepted` with the requirements, so a payment for other
 * terms must end here.
 *
 * @returns a reason from the specification's list (x402-specification-v2.md, section 9) or one of
 * ours, or undefined
 */
export function refusePayment(
  payment: Payment,
  terms: PaymentTerms,
  resource: Resource,
): string | undefined {
  return refuseOffer(payment.message, terms) ??
    refuseResource(payment.message, resource) ??
    refuseAuthorization(payment.authorization, terms);
}

/**
 * Version 2 names what was offered. Within a rule everything costs the same, so there a payment for
 * one path may buy another; the host is part of the offer.
 */
function refuseResource(message: Payment["message"], resource: Resource): string | undefined {
  if (message.x402Version === 1 || !message.resource) return undefined;
  const { url } = message.resource;
  if (url === resource.resourceUrl) return undefined;
  const offered = URL.parse(url);
  const same = offered?.host === URL.parse(resource.resourceUrl)?.host &&
    resource.isSoldHere(offered?.pathname ?? "");
  return same ? undefined : "payment_for_another_resource";
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
): string | undefined {
  const { method, token, payTo, amount } = authorization;
  if (method !== (terms.extra.assetTransferMethod ?? "eip3009")) return "invalid_payload";
  if (token !== undefined && !sameAddress(token, terms.asset)) {
    return "invalid_payment_requirements";
  }
  if (!sameAddress(payTo, terms.payTo)) return "invalid_exact_evm_payload_recipient_mismatch";
  if (amount !== BigInt(terms.amount)) {
    return "invalid_exact_evm_payload_authorization_value_mismatch";
  }
  return undefined;
}

/**
 * Whether an authorization cannot be settled at this time. Apart from the rest, because what was paid
 * in time may be fetched later.
 *
 * @param now Unix time in seconds
 */
export function refuseExpired(
  { validAfter, validBefore }: Authorization,
  now: bigint,
  maxTimeoutSeconds: number,
): string | undefined {
  if (validBefore > now + BigInt(maxTimeoutSeconds) + maxSecondsMore) {
    return "authorization_valid_for_too_long";
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

/** What the chain lets happen once, however the buyer writes it. */
export function paymentIdentity(
  { method, payer, nonce }: Authorization,
  { network, asset }: PaymentTerms,
): PaymentIdentity {
  return { network, asset: asset.toLowerCase(), transferMethod: method, payer, nonce };
}
