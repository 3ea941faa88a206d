/**
 * When a connection has to have moved on, in the milliseconds of `performance.now`. A number that a
 * sweep looks at: thousands of timers would cost more than the connections.
 */
export class Deadline {
  #at = Infinity;
  /** Of the current body: ms that its client was waited for, and the bytes that it moved in them. */
  #waitedMs = 0;
  #moved = 0;
  /** Waits under way: a body may come in while another one goes out, and either may stand still. */
  #waits = 0;
  #waitingSince = 0;
  #idleMs = 0;

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
    this.#waitingSince = this.clock();
  }

  /** From now on the client keeps a body from moving, until `clientMoved`. */
  waitForClient(idleMs: number): void {
    this.#countWaiting();
    this.#waits++;
    this.#idleMs = idleMs;
    this.#arm();
  }

  /** A wait is over, in which the client has moved so many bytes. */
  clientMoved(bytes: number): void {
    this.#countWaiting();
    this.#waits--;
    this.#moved += bytes;
    if (this.#waits > 0) this.#arm();
    else this.#at = Infinity;
  }

  #countWaiting(): void {
    const now = this.clock();
    if (this.#waits > 0) this.#waitedMs += now - this.#waitingSince;
    this.#waitingSince = now;
  }

  #arm(): void {
    const { graceMs, bytesPerSecond } = this.rate;
    const earned = bytesPerSecond === 0 ? Infinity : this.#moved / bytesPerSecond * 1000;
    this.#at = this.#waitingSince + Math.min(this.#idleMs, graceMs + earned - this.#waitedMs);
  }
}

/** How slow a client may be: on average over all time that it was waited for, after the grace. */
export interface ClientRate {
  readonly graceMs: number;
  /** 0: as slow as it likes. */
  readonly bytesPerSecond: number;
}
