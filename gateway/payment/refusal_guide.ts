/** What the `error` of a 402 says; `docs/errors.md` is made of it. */
export interface RefusalAdvice {
  readonly meaning: string;
  /** For the buyer. */
  readonly todo: string;
}

const signNew = "Sign a new payment for the terms of this 402.";
const client = "Correct the client: pay one of the offered terms, unchanged.";

/** Reasons that the gateway gives itself; nothing is charged for the request that gets one. */
export const gatewayRefusals: Readonly<Record<string, RefusalAdvice>> = {
  "PAYMENT-SIGNATURE header is required": {
    meaning: "The request has no payment.",
    todo: "Pay, and send the request again.",
  },
  invalid_x402_version: {
    meaning: "The payment's version does not belong to its header.",
    todo: "Version 2 goes into `PAYMENT-SIGNATURE`, version 1 into `X-PAYMENT`.",
  },
  unsupported_scheme: { meaning: "Not the scheme `exact`.", todo: client },
  invalid_network: { meaning: "For another network than offered.", todo: client },
  invalid_payload: { meaning: "Signed for another way to transfer than offered.", todo: client },
  invalid_payment_requirements: {
    meaning: "For other terms, such as those before a price changed.",
    todo: signNew,
  },
  invalid_exact_evm_payload_recipient_mismatch: {
    meaning: "Signed for another recipient.",
    todo: signNew,
  },
  invalid_exact_evm_payload_authorization_value_mismatch: {
    meaning: "Signed for another amount.",
    todo: signNew,
  },
  payment_for_another_resource: {
    meaning: "Offered for another host, or for a path under another rule.",
    todo: "Sign a payment for what you ask for.",
  },
  authorization_valid_for_too_long: {
    meaning: "Valid for more than a day beyond the offered time.",
    todo: "Sign a shorter one.",
  },
  invalid_exact_evm_payload_authorization_valid_after: {
    meaning: "Not valid yet.",
    todo: "Set the clock.",
  },
  invalid_exact_evm_payload_authorization_valid_before: {
    meaning: "Expired, or less than 6 s left.",
    todo: signNew + " If it comes at once, set the clock.",
  },
  invalid_signature: {
    meaning: "Sent under a payment identifier that is in use, and not signed by its payer.",
    todo: "Sign with the payer's key.",
  },
  payment_already_used: {
    meaning: "It has served its request: the reply was delivered, or the backend ran and nothing " +
      "was charged.",
    todo: signNew,
  },
  payment_used_elsewhere: {
    meaning: "It has paid for another request, whose reply was lost and can still be fetched.",
    todo: "Send the very same request (method, host, path, query, body), or sign a new payment.",
  },
  invalid_payment: {
    meaning: "The facilitator says no, without a reason that can be shown.",
    todo: "The log of the facilitator says why.",
  },
};

/** What facilitators say most often (measured with @x402/evm 2.27); they have more. */
export const facilitatorRefusals: Readonly<Record<string, RefusalAdvice>> = {
  invalid_exact_evm_insufficient_balance: {
    meaning: "The wallet has not enough of the token.",
    todo: "Fill it.",
  },
  invalid_exact_evm_signature: {
    meaning: "Not signed by the payer, or for another EIP-712 domain.",
    todo: "Use the `extra.name` and `extra.version` of the terms.",
  },
  invalid_exact_evm_nonce_already_used: {
    meaning: "The chain has seen this authorization, and the gateway has no record of it: it was " +
      "charged earlier, or cancelled.",
    todo: "Look at the chain before you sign a new payment.",
  },
  invalid_exact_evm_transaction_failed: {
    meaning: "The transfer was sent and reverted.",
    todo: signNew,
  },
};
