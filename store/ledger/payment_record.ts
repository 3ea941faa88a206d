import type { PaymentState } from "./payment_state.ts";

/** What a signed authorization lets happen once; its text form is the key of the ledger. */
export interface PaymentIdentity {
  /** CAIP-2: `eip155:84532`. */
  readonly network: string;
  /** Token contract, lower case. */
  readonly asset: string;
  readonly transferMethod: "eip3009" | "permit2";
  /** Lower case. */
  readonly payer: string;
  readonly nonce: string;
}

/** What a payment was offered for, and pays for alone. */
export interface PaymentBinding {
  /** `namespace/name` of the X402Route. */
  readonly route: string;
  /** Pattern of the rule. */
  readonly path: string;
  readonly httpMethod: string;
  /** Lower case, without port. */
  readonly host: string;
  /** Atomic units. */
  readonly amount: bigint;
}

/** A payment that asks to be reserved. */
export interface NewPayment extends PaymentIdentity, PaymentBinding {
  /** The same amount in whole tokens, exact: `0.001`. */
  readonly price: string;
  readonly payTo: string;
  readonly facilitatorUrl: string;
  /** Unix time in seconds after which the authorization is void. */
  readonly validBefore: bigint;
  /** SHA-256 of the signature: only who can show it again may fetch a reply again. */
  readonly proof: string;
  /** SHA-256 of method, host, path, query and body; absent when the body was not read whole. */
  readonly requestDigest?: string;
  /** What its buyer calls it, with what keeps strangers apart: no chain tells that. */
  readonly identifier?: string;
}

/** A row as people read it. Times in ms since 1970, amounts in atomic units. */
export interface PaymentRecord extends PaymentIdentity, PaymentBinding {
  readonly id: string;
  readonly price: string;
  readonly payTo: string;
  readonly facilitatorUrl: string;
  readonly state: PaymentState;
  readonly transaction: string | undefined;
  /** Why it ended as it did, or is in doubt. */
  readonly reason: string | undefined;
  /** Times that the backend was called for it. */
  readonly executions: number;
  readonly validBefore: bigint;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly settledAt: number | undefined;
}

/** The key of a payment. Not the bytes of its header, which a buyer can vary without signing again. */
export function paymentKey(payment: PaymentIdentity): string {
  const { network, asset, transferMethod, payer, nonce } = payment;
  return `${network}/${asset}/${transferMethod}/${payer}/${nonce}`;
}

/** A reply that is kept for buyers who name their payments (`payment-identifier`). */
export interface KeptReply {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array<ArrayBuffer>;
}
