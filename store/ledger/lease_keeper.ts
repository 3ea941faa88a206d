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

  /** Renews all of them now. */
  async renewAll(): Promise<void> {
    await Promise.all(this.#renewOlderThan(Infinity));
  }

  #renewOlderThan(time: number): Promise<void>[] {
    return [...this.#holds.values()].filter(({ renewedAt }) => renewedAt <= time).map(
      async (entry) => {
        // What fails is tried again at the next turn.
        const held = await this.renew(entry.hold).catch(() => undefined);
        if (held === true) entry.renewedAt = performance.now();
        if (held === false) this.forget(entry.hold);
      },
    );
  }
}
