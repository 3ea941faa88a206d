/** One thing that must not stand still: touched when something happens, stopped when it ends. */
export interface Watch {
  touch(): void;
  stop(): void;
}

/**
 * Idle timeouts of all requests with one timer. A timer or an `AbortSignal.timeout` for each request
 * costs half as much CPU again as the proxying itself (measured), a sweep costs nothing per request.
 */
export class IdleTimer {
  /**
   * An array in which the last entry takes the place of one that leaves. A Set or a linked list
   * leaves dead tables or nodes in the old heap, through which every later request survives the
   * young collections: that doubled their time (measured).
   */
  readonly #entries: Entry[] = [];
  #interval: ReturnType<typeof setInterval> | undefined;

  /** @param sweepMs how late an expiry may be noticed */
  constructor(private readonly sweepMs = 250) {}

  /**
   * Calls `expire` once, when for `ms` (and at most `sweepMs` more) nothing touched the watch.
   * @param onSweep called at every sweep: for what is cheaper to look at than to listen to
   */
  watch(ms: number, expire: () => void, onSweep?: () => void): Watch {
    const entry = new Entry(this.#entries, ms, expire, onSweep);
    this.#interval ??= this.#start();
    return entry;
  }

  #start(): ReturnType<typeof setInterval> {
    const interval = setInterval(() => this.#sweep(), this.sweepMs);
    // Idle connections must not keep a drained process alive.
    Deno.unrefTimer(interval as unknown as number);
    return interval;
  }

  #sweep(): void {
    const now = performance.now();
    // A copy, because what is called here may stop any entry.
    for (const entry of this.#entries.slice()) {
      if (entry.stopped) continue;
      entry.onSweep?.();
      if (now >= entry.deadline) entry.end();
    }
  }

  /** Expires every watch now: what still runs at the end of a drain is cut off. */
  expireAll(): void {
    for (const entry of this.#entries.slice()) if (!entry.stopped) entry.end();
  }

  /** Stops the timer; watches of requests that still run expire no more. */
  close(): void {
    clearInterval(this.#interval);
    this.#interval = undefined;
    for (const entry of this.#entries.slice()) entry.stop();
  }
}

class Entry implements Watch {
  deadline = 0;
  /** Its place in `entries`, -1 once it has left. */
  #index: number;

  constructor(
    private readonly entries: Entry[],
    private readonly ms: number,
    private readonly expire: () => void,
    readonly onSweep: (() => void) | undefined,
  ) {
    this.touch();
    this.#index = entries.push(this) - 1;
  }

  get stopped(): boolean {
    return this.#index < 0;
  }

  touch(): void {
    this.deadline = performance.now() + this.ms;
  }

  stop(): void {
    if (this.stopped) return;
    const last = this.entries.pop()!;
    if (last !== this) {
      this.entries[this.#index] = last;
      last.#index = this.#index;
    }
    this.#index = -1;
  }

  end(): void {
    this.stop();
    this.expire();
  }
}
