/**
 * When a connection has to have moved on, in the milliseconds of `performance.now`. A number that a
 * sweep looks at: thousands of timers would cost more than the connections.
 */
export class Deadline {
  #at = Infinity;
  /** Of the current body: ms that its client was waited for, and the bytes that it moved in them. */
  #waitedMs = 0;
  #moved = 0;
  #waitingSince = 0;

  constructor(private readonly clock: () => number, private readonly rate: ClientRate) {}

  isOver(now: number): boolean {
    return now >= this.#at;
  }

  set(ms: number): void {
    this.#at = this.clock() + ms;
  }

  clear(): void {
    this.#at = Infinity;
  }

  /** Of a new body, in either direction. */
  beginBody(): void {
    this.#waitedMs = this.#moved = 0;
  }

  /** From now on nothing but the client keeps the body from moving. */
  waitForClient(idleMs: number): void {
    const now = this.#waitingSince = this.clock();
    const { graceMs, bytesPerSecond } = this.rate;
    const earned = bytesPerSecond === 0 ? Infinity : this.#moved / bytesPerSecond * 1000;
    this.#at = now + Math.min(idleMs, graceMs + earned - this.#waitedMs);
  }

  /** The client has moved so many bytes. */
  clientMoved(bytes: number): void {
    this.#waitedMs += this.clock() - this.#waitingSince;
    this.#moved += bytes;
    this.#at = Infinity;
  }
}

/** How slow a client may be: on average over all time that it was waited for, after the grace. */
export interface ClientRate {
  readonly graceMs: number;
  /** 0: as slow as it likes. */
  readonly bytesPerSecond: number;
}
