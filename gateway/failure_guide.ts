import type { FailureCode } from "./failures.ts";

/**
 * Whether money moved for a request that ends with a code:
 *
 * - `no`: nothing was charged for this request
 * - `if settled before`: charged only with `settle: before-request`; then the receipt is in the reply
 * - `not known yet`: it is being found out, and the same payment tells
 * - `earlier`: by the first request with this payment, not by this one
 */
export type Charged = "no" | "if settled before" | "not known yet" | "earlier";

/** What people do about a failure; `docs/errors.md` is made of it. */
export interface FailureAdvice {
  readonly charged: Charged;
  /** For who sent the request. */
  readonly buyer: string;
  /** For who runs the gateway. */
  readonly operator: string;
}

const correct = "Correct the request.";
const nothing = "Nothing.";
const samePayment = "Send the same payment again after `Retry-After`; do not sign a new one.";
const sameOrTold =
  "Without a receipt: send the request again, if need be with a new payment. With one: send the " +
  "same payment again, it is not charged twice.";

/** A code without an entry does not compile: whoever adds one says what to do about it. */
export const failureGuide: Readonly<Record<FailureCode, FailureAdvice>> = {
  invalid_request: {
    charged: "if settled before",
    buyer: correct,
    operator: "Nothing; if your own proxy sends it, look at what it does to the body's framing.",
  },
  head_too_large: {
    charged: "no",
    buyer: "Send fewer or shorter header lines.",
    operator: "Raise `--max-header-bytes` if your clients need it.",
  },
  version_not_supported: {
    charged: "no",
    buyer: "Speak HTTP/1.1.",
    operator: "Let the Ingress controller speak HTTP/1.1 to the gateway (no h2c, no gRPC).",
  },
  invalid_host: { charged: "no", buyer: correct, operator: nothing },
  invalid_path: { charged: "no", buyer: correct, operator: nothing },
  ambiguous_path: {
    charged: "no",
    buyer: "Send the path without `%2F`, `//`, `;`, dot segments and the like.",
    operator: "Give both readings the same price if clients need such paths.",
  },
  ambiguous_method: {
    charged: "no",
    buyer: "Leave method override headers out.",
    operator: "Give both methods the same price if clients need it.",
  },
  invalid_upgrade: {
    charged: "no",
    buyer: "Send a complete WebSocket handshake.",
    operator: nothing,
  },
  invalid_transfer_encoding: { charged: "no", buyer: correct, operator: nothing },
  payment_malformed: {
    charged: "no",
    buyer: "Send base64 of JSON as x402 says, of at most 8 KiB.",
    operator: "Nothing; `--log-level debug` says what cannot be read.",
  },
  no_route: {
    charged: "no",
    buyer: "Check host and path.",
    operator: "Name host and path in an Ingress.",
  },
  method_not_supported: { charged: "no", buyer: "Use another method.", operator: nothing },
  request_timeout: {
    charged: "if settled before",
    buyer: "Send the request again, faster.",
    operator: "Raise `--idle-timeout` or lower `--min-client-rate` for slow clients.",
  },
  identifier_conflict: {
    charged: "no",
    buyer: "Use one payment identifier for one request.",
    operator: nothing,
  },
  reply_not_kept: {
    charged: "earlier",
    buyer: "Use a new payment identifier to buy it again.",
    operator: "Raise `--identifier-retention` if buyers come back later.",
  },
  request_not_repeatable: {
    charged: "no",
    buyer: "Send the body with a Content-Length, or leave the payment identifier out.",
    operator: nothing,
  },
  payment_in_flight: {
    charged: "not known yet",
    buyer: samePayment,
    operator: "Nothing; after a crash it lasts as long as `--payment-lease`.",
  },
  uri_too_long: { charged: "no", buyer: "Send a shorter query.", operator: nothing },
  reply_lost: {
    charged: "earlier",
    buyer: "Ask the seller; the receipt or the nonce names the payment.",
    operator: "Find it with `x402-k8s-operator payments show`; pay back or deliver by hand.",
  },
  body_too_large: {
    charged: "if settled before",
    buyer: "Send a smaller body.",
    operator: "Raise `--max-body-bytes` or `--max-chunked-body-bytes`.",
  },
  too_many_invalid_signatures: {
    charged: "no",
    buyer: "Wait, and check the wallet and the EIP-712 domain of the token.",
    operator: "Set `--trusted-proxies`, so that clients are told apart.",
  },
  too_many_unpaid_requests: {
    charged: "no",
    buyer: "Wait, or pay.",
    operator: "Set `--trusted-proxies`; raise `--rate-limit-unpaid` for shared addresses.",
  },
  too_many_refused_payments: {
    charged: "no",
    buyer: "Wait, and look at why payments are refused.",
    operator: "Set `--trusted-proxies`; raise `--rate-limit-invalid` for shared addresses.",
  },
  loop_detected: {
    charged: "no",
    buyer: "Tell the operator.",
    operator: "The Service behind the path leads back to the gateway: correct it.",
  },
  upstream_unreachable: {
    charged: "if settled before",
    buyer: "Send the same payment again; it is not used up.",
    operator: "Start the backend; check the Service, its port and NetworkPolicies.",
  },
  upstream_reset: {
    charged: "if settled before",
    buyer: sameOrTold,
    operator: "Look at the backend's log: it closed the connection.",
  },
  upstream_invalid: {
    charged: "if settled before",
    buyer: sameOrTold,
    operator: "Correct the backend's reply; the gateway's log says what is wrong with it.",
  },
  upstream_unresolved: {
    charged: "no",
    buyer: "Tell the operator.",
    operator: "See the condition `ResolvedRefs`: the Service or its port is missing or refused.",
  },
  upstream_busy: {
    charged: "if settled before",
    buyer: "Send the same payment again; it is not used up.",
    operator: "Scale the backend; see `--upstream-max-connections`, `--upstream-max-waiting`.",
  },
  upstream_timeout: {
    charged: "if settled before",
    buyer: sameOrTold,
    operator: "Make the backend faster or raise `--upstream-timeout`.",
  },
  facilitator_invalid: {
    charged: "no",
    buyer: samePayment,
    operator: "The log has the answer; check the facilitator's URL and credentials.",
  },
  facilitator_unreachable: {
    charged: "no",
    buyer: samePayment,
    operator: "Check URL, DNS, egress and proxies.",
  },
  facilitator_refused: {
    charged: "no",
    buyer: "Tell the operator.",
    operator: "Its name resolves to a private address: `--allow-facilitator-host`, if you mean it.",
  },
  facilitator_busy: {
    charged: "no",
    buyer: samePayment,
    operator: "Look at its rate limits and `--facilitator-max-in-flight`.",
  },
  facilitator_unavailable: {
    charged: "no",
    buyer: samePayment,
    operator: "The circuit breaker is open: look at the facilitator; it is tried every 10 s.",
  },
  facilitator_timeout: {
    charged: "no",
    buyer: samePayment,
    operator: "Look at the facilitator; `--verify-timeout` may be too short for it.",
  },
  settlement_unknown: {
    charged: "not known yet",
    buyer: samePayment,
    operator: "Give `--rpc-url`: the chain tells. `payments list --state unknown` lists them.",
  },
  ledger_unavailable: {
    charged: "no",
    buyer: samePayment,
    operator: "Bring the database back, or give the volume space.",
  },
  route_blocked: {
    charged: "no",
    buyer: "Wait for the operator.",
    operator: "See the conditions of the X402Route (or the log): correct its spec.",
  },
  not_ready: {
    charged: "no",
    buyer: "Wait.",
    operator: "No routes were read yet: see the log, `/readyz`, and the permissions.",
  },
  overloaded: {
    charged: "no",
    buyer: "Wait.",
    operator:
      "Give it more CPU, replicas or `--max-in-flight`; see `x402_overloaded_requests_total`.",
  },
  internal_error: {
    charged: "not known yet",
    buyer: "Send the same payment again.",
    operator: "A fault of the gateway: report it with the log line of the `requestId`.",
  },
};
