import {
  type Hold,
  HoldLost,
  type MoveDetails,
  type PaymentLedger,
} from "../../store/ledger/payment_ledger.ts";
import type { PaymentState } from "../../store/ledger/payment_state.ts";
import { LedgerUnavailable } from "../../store/ledger/sql_database.ts";
import type { Logger } from "../../store/log.ts";

/**
 * Writes down what has happened already. Such a write must not fail the request any more: the money
 * has moved, or the backend has replied. While the database is away it is tried again; should the
 * process end before it comes back, the reconciler finds the same out.
 */
export class PaymentBooks {
  /** The last write of each payment: they are made in the order in which things happened. */
  readonly #writes = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();

  /**
   * @param retryMs how long a write that failed waits until it is tried again
   * @param onRecord told of each state that a payment has reached
   */
  constructor(
    private readonly ledger: PaymentLedger,
    private readonly log: Logger,
    private readonly retryMs = 1_000,
    private readonly onRecord: (state: PaymentState) => void = () => {},
  ) {}

  /**
   * Resolves when it is on record, or with the first failure, after which it goes on in the
   * background.
   * @throws {HoldLost} when somebody else has taken the payment over, and says what becomes of it
   */
  async record(hold: Hold, to: PaymentState, details: MoveDetails = {}): Promise<void> {
    const before = this.#writes.get(hold.id);
    const first = Promise.withResolvers<void>();
    const write = this.#write(hold, to, details, before, first);
    this.#writes.set(hold.id, write);
    write.finally(() => {
      if (this.#writes.get(hold.id) === write) this.#writes.delete(hold.id);
    });
    await first.promise;
  }

  /** Resolves when all is written; gives up what waits for a database that is away. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#writes.values());
  }

  async #write(
    hold: Hold,
    to: PaymentState,
    details: MoveDetails,
    before: Promise<void> | undefined,
    tried: PromiseWithResolvers<void>,
  ): Promise<void> {
    // Not even a microtask where there is nothing to wait for.
    if (before !== undefined) await before;
    for (;;) {
      try {
        await this.ledger.move(hold, to, details);
        this.onRecord(to);
        return tried.resolve();
      } catch (error) {
        if (error instanceof HoldLost) tried.reject(error);
        else tried.resolve();
        const fields = { payment: hold.id, state: to, reason: (error as Error).message };
        if (!(error instanceof LedgerUnavailable) || this.#closing.signal.aborted) {
          this.ledger.abandon(hold);
          return this.log.error("payment not written to the ledger", fields);
        }
        this.log.warn("ledger unavailable, trying again", fields);
        await pause(this.retryMs, this.#closing.signal);
      }
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
