import assert from "node:assert/strict";
import { type Payment, readPaymentHeader } from "../../gateway/payment/payment_header.ts";
import type { PaymentTerms } from "../../store/route_snapshot.ts";
import { signPayment, usdcRequirements } from "../rig/sign_payment.ts";

/** A payment of these terms as the gateway has read it. */
export async function signedPayment({ amount, payTo }: PaymentTerms): Promise<Payment> {
  const requirements = usdcRequirements(2, amount, payTo);
  const { header } = await signPayment({ version: 2, buyer: 1, requirements });
  const payment = readPaymentHeader(new Headers([header]));
  assert.ok(payment !== undefined && "authorization" in payment);
  return payment;
}
