/**
 * A map of bounded size that forgets what has not been used for longest, roughly: in two halves, of
 * which the older one goes as a whole. Using an entry costs no deletion and no insertion, unlike in
 * a list in the order of use, and leaves nothing behind for the garbage collector.
 */
export class RecentMap<V> {
  #young = new Map<string, V>();
  #old = new Map<string, V>();

  /** @param limit entries at most; half as many are certain to be remembered */
  constructor(private readonly limit: number) {}

  /** Entries in memory. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Counts as a use. */
  get(key: string): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: V): void {
    if (this.#young.size >= this.limit / 2 && !this.#young.has(key)) this.turn();
    this.#young.set(key, value);
  }

  delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  /** Forgets what has not been used since the last time. */
  turn(): void {
    this.#old = this.#young;
    this.#young = new Map();
  }
}
