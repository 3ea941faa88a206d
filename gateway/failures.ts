import { HoldLost } from "../store/ledger/payment_ledger.ts";
import { TooManyConnections } from "./front/front_settings.ts";
import { type Reply, textReply } from "./front/reply.ts";
import { MalformedMessage } from "./http1/malformed_message.ts";
import type { HeaderLine } from "./http1/header_fields.ts";
import { LedgerRefused, LedgerUnavailable } from "../store/ledger/sql_database.ts";

/**
 * The one place that turns a failure into a reply. Everything in the gateway that cannot go on
 * throws a `Failure` with a code from the table; nothing else decides status codes of errors.
 *
 * A reply says what happened and what to do, never where the backend or facilitator is: addresses
 * and causes go to the log only.
 */
const table = {
  // What the client did wrong.
  invalid_request: [400, "The request is not valid HTTP/1.1."],
  head_too_large: [431, "The request's header is larger than this gateway accepts."],
  version_not_supported: [505, "This gateway speaks HTTP/1.1."],
  invalid_host: [400, "The Host header is not a valid host[:port]."],
  invalid_path: [400, "The request path is not a valid URL path."],
  ambiguous_path: [400, "The request path can be read in more than one way; send it normalized."],
  ambiguous_method: [400, "A header asks for another method than the request's."],
  invalid_upgrade: [400, "The WebSocket handshake is not complete."],
  invalid_transfer_encoding: [501, "Only the transfer coding chunked is accepted."],
  payment_malformed: [400, "The payment header cannot be read."],
  no_route: [404, "No route is configured for this host and path."],
  method_not_supported: [405, "The method is not supported by this gateway."],
  request_timeout: [408, "The request body stopped arriving."],
  identifier_conflict: [409, "The payment identifier was used for another request."],
  reply_not_kept: [
    409,
    "The reply to this payment identifier was delivered, and is not kept any more or too long to be.",
  ],
  request_not_repeatable: [
    411,
    "A payment identifier needs a request body of known length, of at most 1 MiB.",
  ],
  payment_in_flight: [409, "The same payment is being processed; wait for its outcome."],
  uri_too_long: [414, "The query is longer than this gateway accepts."],
  reply_lost: [
    410,
    "The reply to this payment was lost and cannot be fetched any more; do not pay again for it.",
  ],
  body_too_large: [413, "The request body is larger than this gateway accepts."],
  too_many_invalid_signatures: [429, "Too many payments with invalid signatures; wait a minute."],
  too_many_unpaid_requests: [
    429,
    "Too many requests without a payment from this address; wait, or send a payment.",
  ],
  too_many_refused_payments: [
    429,
    "Too many payments from this address were not accepted; wait a moment.",
  ],
  // What the backend did wrong.
  loop_detected: [508, "The backend of this path leads back to this gateway."],
  upstream_unreachable: [502, "The backend cannot be reached."],
  upstream_reset: [502, "The backend closed the connection before it answered."],
  upstream_invalid: [502, "The backend sent a reply that is not valid HTTP."],
  upstream_unresolved: [503, "The backend of this path is not configured."],
  upstream_busy: [503, "The backend cannot take more requests for now."],
  upstream_timeout: [504, "The backend did not answer in time."],
  // What the facilitator did wrong. Never 402: the buyer must not sign a second payment.
  facilitator_invalid: [502, "The payment facilitator gave an answer that cannot be used."],
  facilitator_unreachable: [503, "The payment facilitator cannot be reached."],
  facilitator_refused: [503, "The payment facilitator is at an address that is not allowed."],
  facilitator_busy: [503, "The payment facilitator cannot take more requests for now."],
  facilitator_unavailable: [503, "The payment facilitator is having an outage; try again later."],
  facilitator_timeout: [504, "The payment facilitator did not answer in time."],
  settlement_unknown: [
    503,
    "The payment was sent for settlement and its outcome is not known yet. Send the same payment " +
    "again in a moment; do not sign a new one.",
  ],
  ledger_unavailable: [503, "Payments cannot be recorded for now; nothing was charged."],
  // What is not ready here.
  route_blocked: [503, "The payment rule of this path is invalid; the operator has to correct it."],
  not_ready: [503, "The gateway has no routes yet."],
  overloaded: [503, "The gateway has more work than it can do; try again in a moment."],
  internal_error: [500, "The gateway failed."],
} as const satisfies Record<string, readonly [status: number, message: string]>;

export type FailureCode = keyof typeof table;

/** Every code with what clients get; `failure_guide.ts` says what to do about each. */
export const failureTable: Readonly<
  Record<FailureCode, readonly [status: number, message: string]>
> = table;

const malformed = {
  400: "invalid_request",
  431: "head_too_large",
  501: "invalid_transfer_encoding",
  505: "version_not_supported",
} as const satisfies Record<MalformedMessage["status"], FailureCode>;

/** Seconds that a client should wait before it tries again, for the statuses where that makes sense. */
const retryAfter: Readonly<Record<number, string>> = {
  409: "1",
  429: "60",
  502: "5",
  503: "5",
  504: "5",
};

/** A request that ends here. `detail` is for the log; the client sees only the table's text. */
export class Failure extends Error {
  override readonly name = "Failure";
  /** Lines to add to the reply, such as the receipt of a payment that was settled before. */
  readonly headers: [name: string, value: string][] = [];

  /** Seconds until a retry can help, where more is known than the status says. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly code: FailureCode,
    readonly detail: string,
    options?: ErrorOptions & { readonly retryAfterSeconds?: number | undefined },
  ) {
    super(`${code}: ${detail}`, options);
    this.retryAfterSeconds = options?.retryAfterSeconds;
  }

  /** Failures as they are; anything else is a fault of ours. */
  static from(error: unknown): Failure {
    if (error instanceof Failure) return error;
    if (error instanceof LedgerUnavailable || error instanceof LedgerRefused) {
      return new Failure("ledger_unavailable", error.message, { cause: error });
    }
    // Whoever has taken the payment over goes on with it.
    if (error instanceof HoldLost) {
      return new Failure("payment_in_flight", error.message, { cause: error });
    }
    if (error instanceof MalformedMessage) {
      return new Failure(malformed[error.status], error.message, { cause: error });
    }
    if (error instanceof TooManyConnections) {
      return new Failure("overloaded", "too many connections", { cause: error });
    }
    const detail = error instanceof Error ? error.stack ?? error.message : String(error);
    return new Failure("internal_error", detail, { cause: error });
  }

  withHeaders(lines: readonly [name: string, value: string][]): this {
    this.headers.push(...lines);
    return this;
  }

  get status(): number {
    return table[this.code][0];
  }
}

/**
 * The reply to a failure: JSON `{error, message, requestId}`, not cacheable, with `Retry-After`
 * where a retry can help.
 */
export function failureReply(failure: Failure, requestId: string): Reply {
  const { code, retryAfterSeconds, headers } = failure;
  return refusal(code, requestId, retryAfterSeconds, headers);
}

/**
 * The same without a `Failure`: an error and its way up cost a third of what a 402 does, and what is
 * refused because there is too much of it must not cost more than it would have done.
 */
export function refusal(
  code: FailureCode,
  requestId: string,
  retryAfterSeconds?: number,
  lines: readonly HeaderLine[] = [],
): Reply {
  const [status, message] = table[code];
  const headers: HeaderLine[] = [
    ["content-type", "application/json"],
    ["cache-control", "no-store"],
    ...lines,
  ];
  const wait = retryAfterSeconds?.toString() ?? retryAfter[status];
  if (wait !== undefined) headers.push(["retry-after", wait]);
  return textReply(status, headers, JSON.stringify({ error: code, message, requestId }) + "\n");
}
