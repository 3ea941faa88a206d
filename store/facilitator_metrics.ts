import type { Registry } from "prom-client";
import { type Reading, Readings } from "./declared_metrics.ts";
import { Durations, DurationSeries } from "./duration_histogram.ts";
import {
  type BreakerState,
  breakerStates,
  callOutcomes,
  definitionOf,
  type FacilitatorCallName,
  facilitatorCalls,
} from "./metric_catalogue.ts";
import { isOver, RouteTally, type Tally } from "./route_counter.ts";

/** What stands before the calls to one facilitator URL, now. */
export interface GateState {
  readonly facilitatorUrl: string;
  readonly breaker: BreakerState;
  readonly inFlight: number;
  readonly waiting: number;
}

/** Seconds: a settlement waits for a block, and up to `--settle-timeout`. */
const bounds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60];

/** What is counted of the facilitators at one host. */
export class FacilitatorTally implements Tally {
  goneAt: number | undefined;
  readonly durations: Readonly<Record<FacilitatorCallName, Durations>>;
  /** By `callOutcomes`. */
  readonly outcomes: Readonly<Record<FacilitatorCallName, RouteTally>>;

  constructor() {
    this.durations = forEachCall(() => new Durations(bounds));
    this.outcomes = forEachCall(() => new RouteTally(callOutcomes));
  }
}

/**
 * What is known of the calls to facilitators, by their hosts: a URL can have secrets or any number of
 * paths. Authors of X402Routes name them, so what is gone from the routes is forgotten.
 */
export class FacilitatorMetrics {
  readonly #tallies = new Map<string, FacilitatorTally>();
  /** Each URL is taken apart once. */
  #hosts = new Map<string, string>();
  /** Of all URLs that were called lately. */
  gates: () => Iterable<GateState> = () => [];

  constructor(registry: Registry) {
    const name = "x402_facilitator_call_duration_seconds";
    new DurationSeries(registry, name, definitionOf(name).help, () => this.#durations());
    new Readings(registry, "x402_facilitator_calls_total").read = () => this.#outcomes();
    const breakers = new Readings(registry, "x402_facilitator_breakers");
    breakers.read = () => this.#breakers();
    const inFlight = new Readings(registry, "x402_facilitator_calls_in_flight");
    inFlight.read = () => this.#sums((gate) => gate.inFlight);
    const waiting = new Readings(registry, "x402_facilitator_calls_waiting");
    waiting.read = () => this.#sums((gate) => gate.waiting);
  }

  of(facilitatorUrl: string): FacilitatorTally {
    const host = this.#hostOf(facilitatorUrl);
    let tally = this.#tallies.get(host);
    if (tally === undefined) this.#tallies.set(host, tally = new FacilitatorTally());
    return tally;
  }

  /** Forgets what has been gone for ten minutes; ms, on any clock that does not go back. */
  forgetGone(inForce: ReadonlySet<Tally>, now: number): void {
    for (const [host, tally] of this.#tallies) {
      if (isOver(tally, inForce, now)) this.#tallies.delete(host);
    }
    this.#hosts = new Map();
  }

  #hostOf(url: string): string {
    let host = this.#hosts.get(url);
    if (host === undefined) this.#hosts.set(url, host = new URL(url).host);
    return host;
  }

  *#durations(): Generator<readonly [Record<string, string>, Durations]> {
    for (const [facilitator, { durations }] of this.#tallies) {
      for (const call of facilitatorCalls) yield [{ facilitator, call }, durations[call]];
    }
  }

  *#outcomes(): Generator<Reading> {
    for (const [facilitator, { outcomes }] of this.#tallies) {
      for (const call of facilitatorCalls) {
        for (const [outcome, value] of outcomes[call].counts) {
          yield [facilitator, call, outcome, value];
        }
      }
    }
  }

  *#breakers(): Generator<Reading> {
    for (const state of breakerStates) {
      for (const [host, value] of this.#sums(({ breaker }) => breaker === state ? 1 : 0)) {
        yield [host, state, value];
      }
    }
  }

  /** A facilitator that was not called yet has a sum, too. */
  #sums(of: (gate: GateState) => number): Map<string, number> {
    const sums = new Map([...this.#tallies.keys()].map((host) => [host, 0]));
    for (const gate of this.gates()) {
      const host = this.#hostOf(gate.facilitatorUrl);
      const sum = sums.get(host);
      if (sum !== undefined) sums.set(host, sum + of(gate));
    }
    return sums;
  }
}

function forEachCall<T>(make: () => T): Record<FacilitatorCallName, T> {
  return { verify: make(), settle: make(), supported: make() };
}
