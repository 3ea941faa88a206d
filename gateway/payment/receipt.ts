import type { PaymentTerms } from "../../store/route_snapshot.ts";
import type { HeaderLine } from "../http1/header_fields.ts";
import type { Payment } from "./payment_header.ts";

/** The result of a settlement that the buyer is told of (x402-specification-v2.md, section 5.3). */
export type Settlement =
  | { readonly success: true; readonly transaction: string }
  | { readonly success: false; readonly errorReason: string };

/**
 * `PAYMENT-RESPONSE` for version 2, `X-PAYMENT-RESPONSE` for version 1: base64 of the settlement.
 */
export function receiptHeader(
  payment: Payment,
  terms: PaymentTerms,
  settlement: Settlement,
): HeaderLine {
  const v2 = payment.message.x402Version === 2;
  const receipt = {
    transaction: "",
    ...settlement,
    network: v2 ? terms.network : terms.networkV1,
    payer: payment.authorization.payer,
  };
  // A reason may hold any character; a header may not.
  const bytes = new TextEncoder().encode(JSON.stringify(receipt));
  return [v2 ? "payment-response" : "x-payment-response", bytes.toBase64()];
}

/**
 * What the backend is told of who paid what. A client cannot forge these: its own `X-402-*` headers
 * are removed before these are added.
 */
export function identityHeaders(
  payment: Payment,
  terms: PaymentTerms,
  transaction: string | undefined,
): HeaderLine[] {
  const lines: HeaderLine[] = [
    ["x-402-payer", payment.authorization.payer],
    ["x-402-amount", terms.amount],
    ["x-402-asset", terms.asset],
    ["x-402-network", terms.network],
  ];
  if (transaction !== undefined) lines.push(["x-402-transaction", transaction]);
  return lines;
}
