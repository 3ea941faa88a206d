import type { Hold } from "./payment_ledger.ts";

/**
 * Renews the leases of payments that take long, such as streams; most have ended before their first
 * renewal. A lease that cannot be renewed is not an alarm: the fence stops whoever lost a payment at
 * the next move.
 */
export class LeaseKeeper {
  readonly #holds = new Map<string, { hold: Hold; renewedAt: number }>();
  readonly #timer: ReturnType<typeof setInterval>;

  /** @param renew false when the row has changed hands */
  constructor(leaseMs: number, private readonly renew: (hold: Hold) => Promise<boolean>) {
    const interval = leaseMs / 3;
    this.#timer = setInterval(() => this.#renewOlderThan(performance.now() - interval), interval);
    // Leases alone must not keep a process alive.
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  keep(hold: Hold): void {
    this.#holds.set(hold.id, { hold, renewedAt: performance.now() });
  }

  forget({ id, fence }: Hold): void {
    if (this.#holds.get(id)?.hold.fence === fence) this.#holds.delete(id);
  }

  held(): string[] {
    return [...this.#holds.keys()];
  }

  close(): void {
    clearInterval(this.#timer);
    this.#holds.clear();
  }

  #renewOlderThan(time: number): void {
    for (const entry of this.#holds.values()) {
      if (entry.renewedAt > time) continue;
      this.renew(entry.hold).then(
        (held) => held ? entry.renewedAt = performance.now() : this.forget(entry.hold),
        () => {}, // tried again at the next turn
      );
    }
  }
}
