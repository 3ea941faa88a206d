import type { Logger } from "../../store/log.ts";
import type { Metrics } from "../../store/metrics.ts";
import type { ReadableFields } from "../http1/header_fields.ts";
import { carriesPayment } from "../payment/payment_header.ts";
import { EventLag } from "./event_lag.ts";
import { InFlight, type LoadSettings } from "./in_flight.ts";

/** Between two lines about refused requests, in ms: a line for each would be more work yet. */
const quietMs = 5_000;

/** Turns requests away while there is more work than can be done, before anything is done for them. */
export class LoadGuard {
  readonly #inFlight: InFlight;
  readonly #lag: EventLag;
  readonly #refusals: Metrics["overloaded"];
  #refused = 0;
  #saidAt = -Infinity;

  constructor(settings: LoadSettings, metrics: Metrics, private readonly log: Logger) {
    this.#inFlight = new InFlight(settings);
    this.#refusals = metrics.overloaded;
    this.#lag = new EventLag((lagMs) => {
      metrics.eventLoopLag.observe(lagMs);
      this.#onLag(lagMs);
    });
  }

  /**
   * Takes a place for a request; then `end` has to follow.
   * @returns false if there is none
   */
  begin(headers: ReadableFields): boolean {
    const hasPlace = this.#inFlight.hasPlaceFor(headers);
    if (hasPlace) this.#inFlight.begin();
    else this.noteRefused(carriesPayment(headers) ? "paid" : "unpaid");
    return hasPlace;
  }

  end(): void {
    this.#inFlight.end();
  }

  /** Requests that are worked on, and how many may be now. */
  get places(): Pick<InFlight, "count" | "limit"> {
    return this.#inFlight;
  }

  noteRefused(what: "paid" | "unpaid" | "connection"): void {
    this.#refused++;
    this.#refusals.add(what);
  }

  close(): Promise<void> {
    return this.#lag.close();
  }

  #onLag(lagMs: number): void {
    const { count: inFlight, limit } = this.#inFlight;
    this.#inFlight.adapt(lagMs);
    const now = performance.now();
    if (this.#refused === 0 || now - this.#saidAt < quietMs) return;
    const fields = { refused: this.#refused, inFlight, limit, lagMs: Math.round(lagMs) };
    this.log.warn("overloaded, requests were refused", fields);
    this.#refused = 0;
    this.#saidAt = now;
  }
}
