/** Lets so many through at once; the others wait for their turn, in order. */
export class Turns {
  readonly #waiting = new Set<() => void>();

  /** @param free how many at once */
  constructor(private free: number) {}

  /**
   * Does `work` when it is its turn.
   * @throws the signal's reason, if it aborts before that
   */
  async take<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    if (this.free > 0) this.free--;
    else await this.#wait(signal);
    try {
      return await work();
    } finally {
      this.#passOn();
    }
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.delete(go);
        reject(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.add(go);
    });
  }

  #passOn(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.free++;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
