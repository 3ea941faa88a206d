import { FacilitatorFailure } from "./facilitator_failure.ts";

interface Waiting {
  readonly enter: () => void;
  readonly turnAway: (detail: string) => void;
}

/**
 * The calls that one facilitator gets at the same time; the others wait in line, those that are
 * urgent before those that are not. The line is bounded: who would wait in vain is told at once.
 */
export class CallPlaces {
  #taken = 0;
  /** Sets keep the order in which they were filled. */
  readonly #urgent = new Set<Waiting>();
  readonly #others = new Set<Waiting>();

  constructor(private readonly limit: number, private readonly maxWaiting: number) {}

  /** Nobody is in and nobody waits. */
  get isIdle(): boolean {
    return this.#taken === 0;
  }

  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#urgent.size + this.#others.size;
  }

  /**
   * Takes a place, to be given back with `release`.
   * @param waitMs how long it may take until one is free
   * @throws {FacilitatorFailure} `facilitator_busy` when that is over, or too many wait already
   */
  async take(waitMs: number, urgent: boolean): Promise<void> {
    if (this.#taken < this.limit) {
      this.#taken++;
      return;
    }
    this.#checkLength(urgent);
    const line = urgent ? this.#urgent : this.#others;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = () => {
      line.delete(waiting);
      clearTimeout(timer);
    };
    const waiting: Waiting = {
      enter: () => (leave(), resolve()),
      turnAway: (detail) => (leave(), reject(busy(`${this.limit} calls in flight, ${detail}`))),
    };
    const timer = setTimeout(
      () => waiting.turnAway(`no place free within ${waitMs} ms`),
      waitMs,
    );
    line.add(waiting);
    await promise;
  }

  /** Who is urgent takes the place of the last one that is not. */
  #checkLength(urgent: boolean): void {
    const { maxWaiting } = this;
    if (this.waiting < maxWaiting) return;
    const last = urgent ? [...this.#others].at(-1) : undefined;
    if (last === undefined) throw busy(`${maxWaiting} calls wait already`);
    last.turnAway("its place in line was needed");
  }

  release(): void {
    const [next] = this.#urgent.size > 0 ? this.#urgent : this.#others;
    // Handed on, not freed: a call that arrives now must not overtake those that wait.
    if (next === undefined) this.#taken--;
    else next.enter();
  }
}

function busy(detail: string): FacilitatorFailure {
  return new FacilitatorFailure("facilitator_busy", detail, "no");
}
