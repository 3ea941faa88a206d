import { setTimeout as pause } from "node:timers/promises";
import type { LedgerUpkeep, Retention } from "../../store/ledger/ledger_upkeep.ts";
import type { Logger } from "../../store/log.ts";

/** Between two looks, in ms. */
const intervalMs = 60_000;
/** Rows of each kind that are removed at a time, and the pause after them in ms. */
const piece = 200;
const pauseMs = 50;

/**
 * Removes what is older than its retention, in small pieces: SQLite takes 0.1 ms for each row, for
 * which no request is served.
 */
export class LedgerCleaner {
  readonly #closing = new AbortController();
  readonly #working: Promise<void>;

  constructor(
    private readonly upkeep: LedgerUpkeep,
    private readonly retention: Retention,
    private readonly log: Logger,
  ) {
    this.#working = this.#work();
  }

  /** Resolves when the piece that is being removed is gone. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#working;
  }

  async #work(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const more = await this.upkeep.prune(this.retention, piece).catch((error) => {
        this.log.warn("old payments not removed", { reason: (error as Error).message });
        return false;
      });
      // Only waits: it must not keep a process alive.
      const options = { signal, ref: false };
      await pause(more ? pauseMs : intervalMs, undefined, options).catch(() => {});
    }
  }
}
