import assert from "node:assert/strict";
import type { OnChain } from "../../gateway/chain/on_chain.ts";
import { usdcTerms } from "../support/test_gateway.ts";
import type { Payment } from "../../gateway/payment/payment_header.ts";

/** How a buyer sends a payment. */
export interface BuyersPayment {
  readonly settle: "after-response" | "before-request";
  /** Another one than it was made for: it asks for something else. */
  readonly otherRequest: boolean;
  readonly identifier: boolean;
}

const payer = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";

/** One signed authorization, what the chain knows of it, and what the world saw happen with it. */
export class PaymentPlan {
  readonly nonce: string;
  readonly transaction: string;
  readonly payment: Payment;
  readonly #validBeforeMs: number;
  moved = 0;
  cancelled = false;
  settleCalls = 0;
  executions = 0;
  /** Replies of the 200s that reached the buyer. */
  delivered = 0;
  /** The ledger has confirmed that a reply was delivered. */
  sealed = false;

  constructor(index: number, now: number) {
    this.nonce = `0x${index.toString(16).padStart(64, "0")}`;
    this.transaction = `0x${(index + 1).toString(16).padStart(64, "0")}`;
    // Some are valid for a minute, as published buyers make them, some for long.
    this.#validBeforeMs = now + (index % 2 === 0 ? 60_000 : 7_200_000);
    const terms = usdcTerms("http://model");
    this.payment = {
      message: {
        x402Version: 2,
        accepted: {
          scheme: "exact",
          network: terms.network,
          amount: terms.amount,
          asset: terms.asset,
          payTo: terms.payTo,
          maxTimeoutSeconds: terms.maxTimeoutSeconds,
          extra: terms.extra,
        },
        payload: { signature: `0x${index.toString(16).padStart(130, "0")}`, authorization: {} },
      } as unknown as Payment["message"],
      raw: { plan: index },
      authorization: {
        method: "eip3009",
        payer,
        payTo: terms.payTo,
        amount: BigInt(terms.amount),
        validAfter: 0n,
        validBefore: BigInt(this.#validBeforeMs / 1000),
        nonce: this.nonce,
      },
    };
  }

  /** What a facilitator says that looks at the chain. */
  refusal(now: number): string | undefined {
    if (now >= this.#validBeforeMs) return "invalid_exact_evm_payload_authorization_valid_before";
    return this.moved > 0 || this.cancelled ? "invalid_exact_evm_nonce_already_used" : undefined;
  }

  /** The chain lets it happen once. */
  moveMoney(now: number): void {
    if (this.refusal(now) === undefined) this.moved++;
  }

  cancel(): void {
    if (this.moved === 0) this.cancelled = true;
  }

  onChain(now: number): OnChain {
    if (this.moved > 0) return { kind: "settled", transaction: this.transaction };
    if (this.cancelled) return { kind: "cancelled" };
    return { kind: "unused", expired: now >= this.#validBeforeMs };
  }

  checkExecution(isPaid: boolean): void {
    const context = JSON.stringify({ ...this, payment: undefined });
    assert.equal(this.sealed, false, `what was delivered is not executed again: ${context}`);
    if (isPaid) assert.equal(this.moved, 1, `served as paid: ${context}`);
    if (this.executions > 0) {
      assert.ok(isPaid, `executed again only to fetch a paid reply again: ${context}`);
    }
  }
}
