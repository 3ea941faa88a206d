/** Remembers for a while which Ingresses have led to the gateway, after their last path was put back. */
export class LatelyLed {
  /** `namespace/name` to when it was seen last, on the clock of the caller (ms), in that order. */
  readonly #seen = new Map<string, number>();
  #now: ReadonlySet<string> = new Set();

  /** @param keepMs how long an Ingress is remembered */
  constructor(private readonly keepMs: number) {}

  /** When the next one is to be forgotten; undefined when there is none. */
  get nextEnd(): number | undefined {
    for (const [key, seen] of this.#seen) if (!this.#now.has(key)) return seen + this.keepMs;
    return undefined;
  }

  /** @param ingresses those that lead to the gateway now; `now` in ms, never decreasing */
  see(ingresses: ReadonlySet<string>, now: number): void {
    this.#now = ingresses;
    for (const key of ingresses) {
      this.#seen.delete(key);
      this.#seen.set(key, now);
    }
  }

  /** All that lead to the gateway, or did a moment ago. */
  at(now: number): ReadonlySet<string> {
    for (const [key, seen] of this.#seen) {
      if (seen + this.keepMs <= now && !this.#now.has(key)) this.#seen.delete(key);
    }
    return new Set(this.#seen.keys());
  }
}
