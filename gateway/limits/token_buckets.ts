import { RecentMap } from "./recent_map.ts";

/** So many at once, and so many per time in the long run. */
export interface Rate {
  readonly count: number;
  readonly perMs: number;
}

/**
 * Clients that are remembered, in 2.5 MiB. Beyond that those are forgotten that have been away for longest,
 * and a client that is not known has a full bucket: whoever has that many addresses is not stopped by
 * this, and nobody is locked out by it.
 */
const defaultMaxKeys = 20_000;

/**
 * A bucket of tokens for each client, which time fills again. Not a timer and not an object is made
 * for a request: a bucket is the time at which it will be full.
 */
export class TokenBuckets {
  readonly #buckets: RecentMap<Bucket>;
  readonly #msPerToken: number;
  #turnAt = -Infinity;

  /** @param now in ms, of a clock that only goes forward */
  constructor(
    private readonly rate: Rate,
    private readonly now: () => number = () => performance.now(),
    maxKeys = defaultMaxKeys,
  ) {
    this.#msPerToken = rate.perMs / rate.count;
    this.#buckets = new RecentMap(maxKeys);
  }

  /** Buckets in memory. */
  get size(): number {
    return this.#buckets.size;
  }

  /**
   * Takes one token if there is one.
   * @returns 0, or the ms until there is one
   */
  take(key: string): number {
    const now = this.now();
    const bucket = this.#of(key, now);
    const waitMs = this.#wait(bucket, now);
    if (waitMs === 0) bucket.fullAt = Math.max(bucket.fullAt, now) + this.#msPerToken;
    return waitMs;
  }

  /** Takes one token for what has happened already; an empty bucket stays empty, and owes nothing. */
  spend(key: string): void {
    const now = this.now();
    const bucket = this.#of(key, now);
    const fullAt = Math.max(bucket.fullAt, now) + this.#msPerToken;
    bucket.fullAt = Math.min(fullAt, now + this.rate.perMs);
  }

  /** In ms, until there is a token; 0 when there is one. */
  waitMs(key: string): number {
    const now = this.now();
    return this.#wait(this.#buckets.get(key), now);
  }

  #wait(bucket: Bucket | undefined, now: number): number {
    if (bucket === undefined) return 0;
    return Math.max(0, bucket.fullAt - now - (this.rate.perMs - this.#msPerToken));
  }

  #of(key: string, now: number): Bucket {
    if (now >= this.#turnAt) {
      // What has not been touched for this long is full: forgetting it changes nothing.
      this.#buckets.turn();
      this.#turnAt = now + this.rate.perMs;
    }
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) this.#buckets.set(key, bucket = new Bucket());
    return bucket;
  }
}

class Bucket {
  fullAt = -Infinity;
}
