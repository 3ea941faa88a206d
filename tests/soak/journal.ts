import { type ClientKind, type Expectation, expectations } from "./expectations.ts";
import type { Dependency, FaultLog } from "./fault_log.ts";

/** Violations that are told in full; more are only counted. */
const maxTold = 40;

/** Judges what clients see the moment that they see it, and keeps nothing but counts. */
export class Journal {
  readonly counts = new Map<ClientKind, Map<string, number>>();
  readonly violations: string[] = [];
  /** Requests that a client sent again, as it may; see `Lane`. */
  retries = 0;
  #violationCount = 0;
  readonly #began = performance.now();
  readonly #proven = new Map<ClientKind, number>();

  constructor(private readonly faults: FaultLog) {}

  /** Things that clients did, most of them one request. */
  get visits(): number {
    return this.counts.values().flatMap((outcomes) => outcomes.values())
      .reduce((sum, count) => sum + count, 0);
  }

  get violationCount(): number {
    return this.#violationCount;
  }

  /**
   * @param since `performance.now()` of the beginning of the request
   * @param detail for people
   */
  saw(kind: ClientKind, outcome: string, since: number, detail = ""): void {
    const outcomes = this.counts.get(kind) ?? new Map<string, number>();
    this.counts.set(kind, outcomes);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    const expected: Expectation = expectations[kind];
    if (expected.proof?.test(outcome)) this.#proven.set(kind, since);
    if (expected.always.test(outcome)) return;
    for (const [dependency, allowed] of Object.entries(expected.during ?? {})) {
      if (allowed.test(outcome) && this.faults.met(dependency as Dependency, since)) return;
    }
    this.violate(`${kind}: ${outcome}${detail && ` (${detail})`}`);
  }

  violate(what: string): void {
    if (++this.#violationCount > maxTold) return;
    const at = ((performance.now() - this.#began) / 1000).toFixed(1);
    this.violations.push(`${at} s  ${what}`);
  }

  /** Whether this kind has worked with a request that began after `since`. */
  isProven(kind: ClientKind, since: number): boolean {
    return (this.#proven.get(kind) ?? -Infinity) >= since;
  }
}
