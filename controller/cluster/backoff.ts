/**
 * Waiting times between attempts, in ms: doubling, with full jitter, so that the replicas of an
 * operator do not all come back to a server that is just starting at the same moment.
 */
export class Backoff {
  #attempt = 0;

  constructor(private readonly firstMs = 100, private readonly maxMs = 5_000) {}

  /** Any time up to the limit of this attempt. */
  next(): number {
    const limit = Math.min(this.maxMs, this.firstMs * 2 ** this.#attempt++);
    return Math.random() * limit;
  }

  reset(): void {
    this.#attempt = 0;
  }
}
