import type { LogFields, Logger } from "../../store/log.ts";
import { type Rate, TokenBuckets } from "./token_buckets.ts";

/** Lines of one kind: enough to see every request of a small outage. */
const usual: Rate = { count: 100, perMs: 10_000 };

/**
 * Logs errors of requests, of each kind so many at most: when everything fails, a line for every
 * request, which is written before anything else goes on, would be one more thing that fails.
 */
export class SparseLog {
  readonly #lines: TokenBuckets;
  readonly #skipped = new Map<string, number>();

  /** @param now in ms, of a clock that only goes forward */
  constructor(private readonly log: Logger, now?: () => number, rate = usual) {
    this.#lines = new TokenBuckets(rate, now);
  }

  /** @param kind one of few */
  error(kind: string, msg: string, fields: LogFields): void {
    const skipped = this.#skipped.get(kind) ?? 0;
    if (this.#lines.take(kind) > 0) {
      this.#skipped.set(kind, skipped + 1);
      return;
    }
    this.log.error(msg, skipped === 0 ? fields : { ...fields, skipped });
    this.#skipped.delete(kind);
  }
}
