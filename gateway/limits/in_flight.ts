import type { ReadableFields } from "../http1/header_fields.ts";
import { carriesPayment } from "../payment/payment_header.ts";

export interface LoadSettings {
  /** Requests that are worked on at a time, until the heads of their replies. */
  readonly maxInFlight: number;
  /** How late the process may be with its own work before it takes fewer; ms, Infinity: ever so late. */
  readonly maxLagMs: number;
}

/** What requests without a payment may take of the places: the others are for buyers. */
const unpaidShare = 0.75;
/** However late it is, so many are worked on. */
const leastInFlight = 128;
/** What is left of the limit after each 100 ms of being too late, and what it grows by after others. */
const cut = 0.8;
const growth = 1.1;

/**
 * How many requests are worked on, and how many may be. A request that is begun is never given up for
 * another one: with more of them than there is time for, facilitators and backends would answer into
 * sockets that nobody reads in time, and all of them would fail.
 *
 * The limit follows the lag: it falls while the process is late and rises while it is not, so that it
 * comes to rest where the work in progress is as much as there is time for.
 */
export class InFlight {
  #count = 0;
  #limit: number;
  #unpaidLimit: number;
  #wasLate = false;

  constructor(private readonly settings: LoadSettings) {
    this.#limit = settings.maxInFlight;
    this.#unpaidLimit = unpaidLimit(this.#limit);
  }

  get count(): number {
    return this.#count;
  }

  get limit(): number {
    return this.#limit;
  }

  /** Whether another request may begin. */
  hasPlaceFor(headers: ReadableFields): boolean {
    if (this.#count < this.#unpaidLimit) return true;
    return this.#count < this.#limit && carriesPayment(headers);
  }

  begin(): void {
    this.#count++;
  }

  end(): void {
    this.#count--;
  }

  /** To be told the lag ten times a second, in ms. */
  adapt(lagMs: number): void {
    const { maxInFlight, maxLagMs } = this.settings;
    const isLate = lagMs > maxLagMs;
    // Once is a collection of garbage, new routes, or a machine that was busy with something else.
    if (isLate && this.#wasLate) {
      const least = Math.min(leastInFlight, maxInFlight);
      this.#setLimit(Math.max(least, Math.min(this.#limit, this.#count) * cut));
    } else if (!isLate && this.#limit < maxInFlight) {
      this.#setLimit(Math.min(maxInFlight, this.#limit * growth + 1));
    }
    this.#wasLate = isLate;
  }

  #setLimit(limit: number): void {
    this.#limit = Math.floor(limit);
    this.#unpaidLimit = unpaidLimit(this.#limit);
  }
}

function unpaidLimit(limit: number): number {
  return Math.max(1, Math.floor(limit * unpaidShare));
}
