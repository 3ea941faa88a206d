import type { Dependency } from "./fault_log.ts";

/** What a kind of client may see; anything else is a violation. */
export interface Expectation {
  readonly always: RegExp;
  /** Also, while a dependency fails and shortly after (the windows of `FaultLog`). */
  readonly during?: Partial<Record<Dependency, RegExp>>;
  /** It has to see `200`, `402`, ... at least once, and once more when all faults are over. */
  readonly proof?: RegExp;
}

/**
 * Of a backend that is dead or frozen. Never a 500, and never a short body that looks whole. Replies
 * to HEAD have the status alone.
 */
const backendFails =
  /^(?:502(?: upstream_(?:unreachable|reset))?|503(?: upstream_\w+)?|504(?: upstream_timeout)?|cut)$/;
/** A client whose upload is refused half way may lose the reply with the connection (TCP resets). */
const uploadFails = new RegExp(`${backendFails.source}|^broken$`);
/** Never a 402: nobody is to sign a second payment because of an outage. */
const facilitatorFails =
  /^(?:502 facilitator_invalid|503 (?:facilitator_(?:unreachable|unavailable|busy)|settlement_unknown)|504 facilitator_timeout)$/;
/** A payment whose first try met a fault goes on being found out about when the fault is over. */
const paidAgain = /^(?:200|503 settlement_unknown|409 payment_in_flight)$/;

/**
 * What the front door may say to what is no proper request, or nothing at all. `left`: the client
 * went away first. 503 is for a gateway that is full.
 */
const refusal = "400|408|411|413|414|417|421|429|431|501|503|505";
const hostile = new RegExp(`^(?:(?:${refusal})(?: \\w+)?|closed|left)$`);
/** It is a proper request, only taken slowly. */
const slow = /^(?:200|closed|left)$/;

const ok: Expectation = { always: /^200$/, proof: /^200$/ };
const frail: Expectation = { ...ok, during: { backend: backendFails } };

/**
 * By the kind of client. "steady" has a backend and a facilitator that never fail: whatever happens
 * to others, and however often routes are swapped, must not reach it.
 */
export const expectations = {
  "free": ok,
  "unpaid": { always: /^402$/, proof: /^402$/ },
  "paid": ok,
  "paid, settled first": ok,
  // Of two copies at once one is served; the other waits, or comes too late.
  "paid, two copies": { always: /^(?:200\+(?:402|409 payment_in_flight))$/, proof: /^200/ },
  "paid, client leaves": { always: /^(?:200|left)$/ },
  "download": ok,
  "upload": ok,
  "events": ok,
  "WebSocket": { always: /^echoed$/, proof: /^echoed$/ },
  // The path is free, or has one of two prices; the swaps decide.
  "shifting path": { always: /^(?:200|402)$/, proof: /^(?:200|402)$/ },
  "readyz and metrics": ok,
  "free, backend fails": frail,
  "paid, backend fails": frail,
  "download, backend fails": frail,
  "upload, backend fails": { ...ok, during: { backend: uploadFails } },
  "paid, facilitator fails": { ...ok, during: { facilitator: facilitatorFails } },
  "the same once more": { always: paidAgain, during: { facilitator: facilitatorFails } },
  "hostile: trickled head": { always: hostile },
  "hostile: half a request": { always: hostile },
  "hostile: garbage": { always: hostile },
  "hostile: 100 KB of headers": { always: hostile },
  "hostile: broken payment": {
    always: /^(?:402 invalid_x402_version|400 payment_malformed|429 \w+)$/,
  },
  "hostile: reset": { always: slow },
  "hostile: slow reader": { always: slow },
  "hostile: leaves in the middle": { always: slow },
  "hostile: WebSocket dropped": { always: /^(?:101|closed|left)$/ },
  // All in order, or as many as the gateway takes on one connection.
  "hostile: 1,000 pipelined": { always: /^(?:1000 replies|closed after \d+)$/ },
} as const satisfies Readonly<Record<string, Expectation>>;

export type ClientKind = keyof typeof expectations;

/** The kinds that must have worked by the end. */
export const provenKinds = (Object.keys(expectations) as ClientKind[]).filter((kind) =>
  "proof" in expectations[kind]
);
