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
  readonly #entries = new Set<Entry>();
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
    for (const entry of this.#entries) {
      entry.onSweep?.();
      if (now >= entry.deadline) entry.end();
    }
  }

  /** Expires every watch now: what still runs at the end of a drain is cut off. */
  expireAll(): void {
    for (const entry of this.#entries) entry.end();
  }

  /** Stops the timer; watches of requests that still run expire no more. */
  close(): void {
    clearInterval(this.#interval);
    this.#interval = undefined;
    this.#entries.clear();
  }
}

class Entry implements Watch {
  deadline = 0;

  constructor(
    private readonly entries: Set<Entry>,
    private readonly ms: number,
    private readonly expire: () => void,
    readonly onSweep: (() => void) | undefined,
  ) {
    this.touch();
    entries.add(this);
  }

  touch(): void {
    this.deadline = performance.now() + this.ms;
  }

  stop(): void {
    this.entries.delete(this);
  }

  end(): void {
    this.stop();
    this.expire();
  }
}
