import type { GateState } from "../../store/facilitator_metrics.ts";
import type { Logger } from "../../store/log.ts";
import { CallPlaces } from "./call_places.ts";
import { CircuitBreaker, type Health } from "./circuit_breaker.ts";

export interface GateSettings {
  /** Calls to one facilitator at the same time, of all kinds together. */
  readonly maxInFlight: number;
  /** Calls that wait for their turn at the same time. */
  readonly maxWaiting: number;
  /** Ms that a call waits for its turn at most. */
  readonly queueMs: number;
}

export interface GatedCall<T> {
  /** Ms that the whole call may take. */
  readonly timeoutMs: number;
  /** Comes before others in the queue: the backend has done its work and is not paid yet. */
  readonly urgent: boolean;
  make(signal: AbortSignal): Promise<T>;
}

/** Failures in a row; what else opens a breaker is written there. */
const breakerSettings = { failures: 5, coolDownMs: 10_000 };
/** Facilitators that are remembered; those with calls in flight are, in any number. */
const maxGates = 1_000;

/** What stands before the calls to one facilitator: its queue and its circuit breaker. */
export class FacilitatorGate {
  readonly #places: CallPlaces;

  constructor(private readonly settings: GateSettings, private readonly breaker: CircuitBreaker) {
    this.#places = new CallPlaces(settings.maxInFlight, settings.maxWaiting);
  }

  get isIdle(): boolean {
    return this.#places.isIdle;
  }

  get state(): Omit<GateState, "facilitatorUrl"> {
    const { taken: inFlight, waiting } = this.#places;
    return { breaker: this.breaker.state, inFlight, waiting };
  }

  /**
   * @throws {FacilitatorFailure} `facilitator_busy`, `facilitator_unavailable`, and whatever the
   * call throws
   */
  async pass<T>({ timeoutMs, urgent, make }: GatedCall<T>): Promise<T> {
    const end = performance.now() + timeoutMs;
    // Before the queue as well: nobody waits for a place only to be told this.
    this.breaker.check();
    await this.#places.take(Math.min(this.settings.queueMs, timeoutMs), urgent);
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), end - performance.now());
    try {
      return await this.breaker.run(() => make(controller.signal));
    } finally {
      clearTimeout(timer);
      this.#places.release();
    }
  }
}

/**
 * One gate per facilitator URL, so that no facilitator's outage or slowness reaches another. Authors
 * of X402Routes choose the URLs, so idle gates are dropped when there are many, those first that
 * have not been used for longest.
 */
export class FacilitatorGates {
  /** In the order of their last use. */
  readonly #gates = new Map<string, FacilitatorGate>();

  constructor(
    private readonly settings: GateSettings,
    private readonly askHealth: (facilitatorUrl: string) => Promise<Health>,
    private readonly log: Logger,
    private readonly now?: () => number,
    private readonly limit = maxGates,
  ) {}

  *states(): Generator<GateState> {
    for (const [facilitatorUrl, { state }] of this.#gates) yield { facilitatorUrl, ...state };
  }

  of(facilitatorUrl: string): FacilitatorGate {
    const gate = this.#gates.get(facilitatorUrl) ?? this.#open(facilitatorUrl);
    this.#gates.delete(facilitatorUrl);
    this.#gates.set(facilitatorUrl, gate);
    return gate;
  }

  #open(facilitator: string): FacilitatorGate {
    for (const [url, gate] of this.#gates) {
      if (this.#gates.size < this.limit) break;
      if (gate.isIdle) this.#gates.delete(url);
    }
    const events = {
      opened: (reason: string) =>
        this.log.error("facilitator is down, payments through it are answered 503", {
          facilitator,
          reason,
        }),
      closed: () => this.log.info("facilitator is up again", { facilitator }),
    };
    const askHealth = () => this.askHealth(facilitator);
    const breaker = new CircuitBreaker(breakerSettings, askHealth, events, this.now);
    return new FacilitatorGate(this.settings, breaker);
  }
}
