/**
 * The life of a payment: the states of a ledger row and the moves between them. Every write to the
 * ledger is one of these moves, guarded by the state that it comes from; what drives them is
 * `gateway/payment/payment_flow.ts` (the request) and `gateway/payment/reconciler.ts` (what a
 * request has left open).
 *
 * ```
 * settle: after-response
 *   reserved ── valid ──> verified ── backend replied ──> settling ── paid ──> settled ──> delivered
 *     │ │ outage             │ backend failed              │ │ │               ^  │ reply lost
 *     │ └──────> released <──┘                             │ │ └ in doubt      │  v
 *     │ invalid                                 refused <──┘ │     │           undelivered
 *     └───────> rejected <── refused ──┘      not sent │     │     v             (fetched again: settled)
 *                                                      v     │   unknown ── paid after all ──> undelivered
 *                                                   executed │     │ ── void: released
 *                                                      │     │     │ ── not used yet, sent again: settling
 *                                                      └─────┴─────┘
 * settle: before-request
 *   reserved ─────────────────────────────────────────> settling ── paid ──> settled ──> delivered ...
 * ```
 *
 * | state | what is true of it |
 * |---|---|
 * | reserved | one request holds the payment; nothing irreversible has happened |
 * | verified | the facilitator found it valid, and the backend is being called: it may have acted |
 * | executed | the backend has replied, and `/settle` could not be sent: not charged (yet) |
 * | settling | written before `/settle` is sent: money may move from here on |
 * | settled | money has moved; the reply is on its way |
 * | delivered | all of the reply was handed to the buyer's connection |
 * | rejected | the facilitator refused it: never charged |
 * | released | never charged: the backend failed, or the authorization is void |
 * | unknown | sent to `/settle`, and nobody knows what became of it |
 * | undelivered | money has moved, and the reply did not reach the buyer: it may be fetched again |
 */
export const paymentStates = [
  "reserved",
  "verified",
  "executed",
  "settling",
  "settled",
  "delivered",
  "rejected",
  "released",
  "unknown",
  "undelivered",
] as const;
export type PaymentState = (typeof paymentStates)[number];

/** Where each state may come from. `reserved` also begins a row. */
export const comesFrom: Readonly<Record<PaymentState, readonly PaymentState[]>> = {
  // A payment that was never used is as good as new; one whose holder died is taken over.
  reserved: ["rejected", "released", "reserved"],
  verified: ["reserved"],
  executed: ["settling"],
  settling: ["reserved", "verified", "executed", "unknown"],
  settled: ["settling", "undelivered"],
  delivered: ["settled"],
  rejected: ["reserved", "settling"],
  released: ["reserved", "verified", "settling", "executed", "unknown"],
  unknown: ["settling"],
  undelivered: ["settled", "unknown"],
};

/** A request works on them, and a lease says for how long it may be silent. */
export const heldStates = ["reserved", "verified", "settling", "settled"] as const;
export type HeldState = (typeof heldStates)[number];

/**
 * What becomes of a held row whose lease has run out: its process is dead, or as good as dead. Never
 * a state that lets the backend run or money move a second time.
 */
export const afterLapse: Readonly<Record<HeldState, PaymentState>> = {
  reserved: "released",
  verified: "released",
  settling: "unknown",
  settled: "undelivered",
};

/** Rows in them are never removed: what they are about is not decided yet. */
export const openStates: readonly PaymentState[] = [...heldStates, "executed", "unknown"];

/** Money has moved. */
export const chargedStates: readonly PaymentState[] = ["settled", "delivered", "undelivered"];
