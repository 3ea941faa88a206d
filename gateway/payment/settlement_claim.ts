import type { PaymentTerms } from "../../store/route_snapshot.ts";
import { type Payment, toPayment } from "./payment_header.ts";

/** What it takes to ask a facilitator about a payment again, also after a restart. */
export interface SettlementClaim {
  readonly payment: Payment;
  readonly terms: PaymentTerms;
  readonly resourceUrl: string;
}

/** For the ledger: JSON with the buyer's message, signature included. */
export function writeClaim({ payment, terms, resourceUrl }: SettlementClaim): string {
  return JSON.stringify({ message: payment.raw, terms, resourceUrl });
}

/** @throws when it is not what `writeClaim` wrote */
export function readClaim(text: string): SettlementClaim {
  const { message, terms, resourceUrl } = JSON.parse(text);
  return { payment: toPayment(message, message.x402Version, "the claim"), terms, resourceUrl };
}
