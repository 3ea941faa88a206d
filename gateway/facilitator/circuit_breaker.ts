import type { BreakerState } from "../../store/metric_catalogue.ts";
import { FacilitatorFailure } from "./facilitator_failure.ts";

/** What a facilitator's `GET /supported` says of its health; `unsaid`: it answers, but not that. */
export type Health = "up" | "down" | "unsaid";

export interface BreakerSettings {
  /** Failures without a success between them that make a facilitator suspect. */
  readonly failures: number;
  /** Ms from one try to the next while it is open. */
  readonly coolDownMs: number;
}

export interface BreakerEvents {
  opened(reason: string): void;
  closed(): void;
}

/**
 * Spares a facilitator that is down, and those who would wait for it.
 *
 * ```
 * closed ── failures in a row, and /supported fails or is not there ──> open: 503 at once
 *   ^                                                                    │ cool-down is over
 *   └── /supported answers, or else the one call let through succeeds ── half-open: others 503 ──> open
 * ```
 *
 * Both verifying and settling count, because a facilitator that fails at either sells nothing; a
 * refusal is a success. But failures of calls alone never open it where the facilitator can be asked
 * itself: facilitators answer 500 to networks and payloads that they cannot read, and let settlements
 * time out when one chain stands still, so that one X402Route or one buyer with odd payments could
 * close a facilitator to everybody. Likewise it is not a payment that tries whether an outage is
 * over, unless there is no other way: the outcome of a settlement that fails would be unknown.
 */
export class CircuitBreaker {
  #failures = 0;
  /** Set while open. */
  #openUntil: number | undefined;
  /** Somebody is finding out whether the facilitator is up. */
  #probing = false;

  /**
   * @param askHealth never rejects
   * @param now monotonic, in ms
   */
  constructor(
    private readonly settings: BreakerSettings,
    private readonly askHealth: () => Promise<Health>,
    private readonly events: BreakerEvents,
    private readonly now: () => number = () => performance.now(),
  ) {}

  get state(): BreakerState {
    if (this.#openUntil === undefined) return "closed";
    return this.#probing ? "half_open" : "open";
  }

  /** @throws {FacilitatorFailure} `facilitator_unavailable` while no call has a chance */
  check(): void {
    if (this.#openUntil === undefined) return;
    if (this.#probing || this.#openUntil > this.now()) throw this.#unavailable();
  }

  /**
   * Makes the call unless the breaker is open. Its failures count when they are `FacilitatorFailure`s.
   * @throws {FacilitatorFailure} `facilitator_unavailable`, and whatever the call throws
   */
  async run<T>(call: () => Promise<T>): Promise<T> {
    this.check();
    const isProbe = this.#openUntil !== undefined && await this.#enterHalfOpen();
    try {
      const result = await call();
      this.#close();
      return result;
    } catch (error) {
      if (isProbe) this.#open(String(error));
      else if (error instanceof FacilitatorFailure) this.#countFailure(error);
      throw error;
    }
  }

  /** @returns whether the call has to find out itself */
  async #enterHalfOpen(): Promise<boolean> {
    this.#probing = true;
    const health = await this.askHealth();
    if (health === "unsaid") return true;
    if (health === "down") {
      this.#open("/supported");
      throw this.#unavailable();
    }
    this.#close();
    return false;
  }

  #countFailure(failure: FacilitatorFailure): void {
    // Not asked at all: nothing has been learnt. Open: they began before.
    if (failure.code === "facilitator_refused" || this.#openUntil !== undefined) return;
    if (++this.#failures < this.settings.failures || this.#probing) return;
    this.#probing = true;
    this.askHealth().then((health) => {
      this.#probing = false;
      // An answer of any kind comes from something alive; what it cannot read may be one buyer's.
      const isAlive = health === "up" ||
        (health === "unsaid" && failure.code === "facilitator_invalid");
      // Zero: a call has succeeded in the meantime.
      if (isAlive || this.#failures === 0) this.#failures = 0;
      else this.#open(failure.message);
    });
  }

  #open(reason: string): void {
    const wasClosed = this.#openUntil === undefined;
    this.#probing = false;
    this.#openUntil = this.now() + this.settings.coolDownMs;
    if (wasClosed) this.events.opened(reason);
  }

  #close(): void {
    this.#failures = 0;
    if (this.#openUntil === undefined) return;
    this.#openUntil = undefined;
    this.#probing = false;
    this.events.closed();
  }

  #unavailable(): FacilitatorFailure {
    // While somebody probes, the cool-down is over and the outcome near.
    const waitMs = Math.max(this.#openUntil! - this.now(), 1_000);
    return new FacilitatorFailure("facilitator_unavailable", "the circuit breaker is open", "no", {
      retryAfterSeconds: Math.ceil(waitMs / 1_000),
    });
  }
}
