/** Numbers that look random and can be had again: the same seed and stream give the same ones. */
export class Random {
  #state: number;

  /** @param stream one of many independent sequences of a seed */
  constructor(seed: number, stream = 0) {
    // Neighbouring streams must not begin alike.
    this.#state = Math.imul(seed ^ Math.imul(stream + 1, 0x9e3779b1), 0x85ebca6b);
    this.below(2);
  }

  /** A whole number from 0 to `bound - 1` (mulberry32). */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  }

  /** True in that share of cases, 0 to 1. */
  chance(share: number): boolean {
    return this.below(10_000) < share * 10_000;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  /** `count` of them, any of them more than once. */
  some<T>(from: readonly T[], count: number): T[] {
    return Array.from({ length: count }, () => this.pick(from));
  }
}
