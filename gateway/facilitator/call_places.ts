import { FacilitatorFailure } from "./facilitator_failure.ts";

/**
 * The calls that one facilitator gets at the same time; the others wait in line, those that are
 * urgent before those that are not.
 */
export class CallPlaces {
  #taken = 0;
  /** Sets keep the order in which they were filled. */
  readonly #urgent = new Set<() => void>();
  readonly #others = new Set<() => void>();

  constructor(private readonly limit: number) {}

  /** Nobody is in and nobody waits. */
  get isIdle(): boolean {
    return this.#taken === 0;
  }

  /**
   * Takes a place, to be given back with `release`.
   * @param waitMs how long it may take until one is free
   * @throws {FacilitatorFailure} `facilitator_busy` when that is over
   */
  async take(waitMs: number, urgent: boolean): Promise<void> {
    if (this.#taken < this.limit) {
      this.#taken++;
      return;
    }
    const line = urgent ? this.#urgent : this.#others;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      line.delete(enter);
      const detail = `${this.limit} calls in flight, no place free within ${waitMs} ms`;
      reject(new FacilitatorFailure("facilitator_busy", detail, "no"));
    }, waitMs);
    const enter = () => {
      line.delete(enter);
      clearTimeout(timer);
      resolve();
    };
    line.add(enter);
    await promise;
  }

  release(): void {
    const [next] = this.#urgent.size > 0 ? this.#urgent : this.#others;
    // Handed on, not freed: a call that arrives now must not overtake those that wait.
    if (next === undefined) this.#taken--;
    else next();
  }
}
