import { Failure } from "../failures.ts";
import type { IdleTimer } from "../idle_timer.ts";
import { announcesBody } from "./upload.ts";

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
   * @throws {Failure} `request_timeout`
   */
  async read(
    request: Request,
    idleTimer: IdleTimer,
    timeoutMs: number,
  ): Promise<SmallBody | undefined> {
    const { headers, body } = request;
    const announced = headers.get("content-length");
    if (body === null || !announcesBody(headers, announced)) {
      return { bytes: undefined, release() {} };
    }
    const length = announced === null ? Infinity : Number(announced);
    if (length > maxReadBytes || this.#heldBytes + length > this.maxHeldBytes) return undefined;
    this.#heldBytes += length;
    try {
      const bytes = await readWhole(request, idleTimer, timeoutMs);
      return { bytes, release: () => void (this.#heldBytes -= length) };
    } catch (error) {
      this.#heldBytes -= length;
      throw error;
    }
  }
}

async function readWhole(
  request: Request,
  idleTimer: IdleTimer,
  timeoutMs: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const watch = idleTimer.watch(
    timeoutMs,
    () => reject(new Failure("request_timeout", "the request body did not arrive in time")),
  );
  try {
    return await Promise.race([request.bytes(), late]);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const detail = `the request body broke off: ${(error as Error).message}`;
    throw new Failure("request_timeout", detail, { cause: error });
  } finally {
    watch.stop();
  }
}
