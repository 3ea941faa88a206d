/** A payment as far as the chain knows it. Amounts in atomic units, addresses in any case. */
export interface SignedTransfer {
  /** CAIP-2: `eip155:84532`. */
  readonly network: string;
  /** Token contract. */
  readonly asset: string;
  readonly method: "eip3009" | "permit2";
  readonly payer: string;
  readonly payTo: string;
  readonly amount: bigint;
  /** EIP-3009: `0x` and 64 hexadecimal digits. Permit2: a uint256 in decimal. */
  readonly nonce: string;
  /** Unix seconds; Permit2 calls it `deadline`. */
  readonly validBefore: bigint;
  /** Unix time in ms before which the authorization was not used: the search starts there. */
  readonly since: number;
}

/** What the chain says of a payment. Where it says nothing reliable, a `ChainError` is thrown. */
export type OnChain =
  /** Exactly the amount went from payer to recipient by this authorization. */
  | { readonly kind: "settled"; readonly transaction: string }
  /** The payer made it void: no money moved by it, and none will. */
  | { readonly kind: "cancelled" }
  /** No money moved by it so far; if `expired`, none will. */
  | { readonly kind: "unused"; readonly expired: boolean }
  /**
   * Used up for something other than this payment: another amount or recipient. Never a payment.
   * A Permit2 nonce that was invalidated long after its deadline counts as this, too.
   */
  | { readonly kind: "used_elsewhere" };

/** The chain could not be read, or its answers do not fit together: try later, decide nothing. */
export class ChainError extends Error {
  override readonly name: string = "ChainError";
}
