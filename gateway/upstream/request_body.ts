import { Failure } from "../failures.ts";
import { type ByteSource, readAll } from "../http1/byte_source.ts";
import type { IdleTimer } from "../idle_timer.ts";

/** A body that has been read whole; none at all counts as well. */
export interface SmallBody {
  readonly bytes: Uint8Array<ArrayBuffer> | undefined;
  /** To be called when the request is over: its memory is counted until then. */
  release(): void;
}

/** Bodies up to this length (bytes, announced) are read before a payment is reserved. */
const maxReadBytes = 1024 * 1024;
/** Of all bodies that are held at a time, in bytes: payments that nobody signed come for free. */
const defaultMaxHeldBytes = 64 * 1024 * 1024;

/**
 * Reads bodies of requests that are announced to be small, so that the request can be told from others,
 * and be sent a second time.
 */
export class SmallBodies {
  #heldBytes = 0;

  constructor(private readonly maxHeldBytes = defaultMaxHeldBytes) {}

  /**
   * @param timeoutMs for all of it: it is in nobody's way, but takes memory
   * @returns undefined when it is long or of unknown length, or too many are held: it is to be streamed
   * @throws {Failure} `request_timeout`, `invalid_request`
   */
  async read(
    body: ByteSource | null,
    idleTimer: IdleTimer,
    timeoutMs: number,
  ): Promise<SmallBody | undefined> {
    if (body === null) return { bytes: undefined, release() {} };
    const length = body.length ?? Infinity;
    if (length > maxReadBytes || this.#heldBytes + length > this.maxHeldBytes) return undefined;
    this.#heldBytes += length;
    try {
      const bytes = await readWhole(body, idleTimer, timeoutMs);
      return { bytes, release: () => void (this.#heldBytes -= length) };
    } catch (error) {
      this.#heldBytes -= length;
      throw error;
    }
  }
}

async function readWhole(
  body: ByteSource,
  idleTimer: IdleTimer,
  timeoutMs: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const watch = idleTimer.watch(timeoutMs, () => {
    const failure = new Failure("request_timeout", "the request body did not arrive in time");
    body.cancel(failure);
    reject(failure);
  });
  try {
    return await Promise.race([readAll(body), late]);
  } finally {
    watch.stop();
  }
}
