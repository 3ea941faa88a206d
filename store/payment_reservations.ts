/** What a request may do with a payment. */
export type Reservation =
  /** Nobody else holds it: go on, and end with `release` or `close`. */
  | "reserved"
  /** Another request is being served with it right now. */
  | "in_flight"
  /** The backend has been called with it: it pays for nothing more. */
  | "spent"
  /** It was sent for settlement and nobody knows yet whether money moved. */
  | "unknown";

/**
 * Which payments are in use or used up, by payment id (network, asset, payer and nonce).
 *
 * Invariant: of all requests that carry one payment, exactly one sees "reserved" until it is
 * released, and none after it was closed. `reserve` is therefore one atomic step: asking first and
 * marking later would let two copies through.
 */
export interface PaymentReservations {
  /** `expiresAt`: Unix time in seconds after which the payment is void by its own terms. */
  reserve(id: string, expiresAt: bigint): Promise<Reservation>;
  /** The payment was not used: the backend provably never saw the request. It may be sent again. */
  release(id: string): Promise<void>;
  /** The payment is used up, or its settlement is open. */
  close(id: string, state: "spent" | "unknown"): Promise<void>;
}

/** For one process: lost at exit, when the nonce check of the chain is what remains. */
export class InMemoryReservations implements PaymentReservations {
  readonly #inFlight = new Map<string, bigint>();
  /** Oldest first, as a Map iterates in order of insertion. */
  readonly #closed = new Map<string, { state: "spent" | "unknown"; expiresAt: bigint }>();

  /**
   * @param maxClosed closed payments that are remembered; beyond that, those closed first are left
   * to the facilitator's own nonce check
   * @param now in ms
   */
  constructor(
    private readonly maxClosed = 200_000,
    private readonly now: () => number = Date.now,
  ) {}

  reserve(id: string, expiresAt: bigint): Promise<Reservation> {
    const closed = this.#closed.get(id);
    if (closed !== undefined) return Promise.resolve(closed.state);
    if (this.#inFlight.has(id)) return Promise.resolve("in_flight");
    this.#inFlight.set(id, expiresAt);
    return Promise.resolve("reserved");
  }

  release(id: string): Promise<void> {
    this.#inFlight.delete(id);
    return Promise.resolve();
  }

  close(id: string, state: "spent" | "unknown"): Promise<void> {
    const expiresAt = this.#inFlight.get(id) ?? 0n;
    this.#inFlight.delete(id);
    this.#closed.set(id, { state, expiresAt });
    this.#forgetOldest();
    return Promise.resolve();
  }

  /** An expired payment is refused by its time window, so it need not be remembered. */
  #forgetOldest(): void {
    const now = BigInt(Math.floor(this.now() / 1000));
    for (const [id, { expiresAt }] of this.#closed) {
      if (expiresAt >= now && this.#closed.size <= this.maxClosed) break;
      this.#closed.delete(id);
    }
  }
}
