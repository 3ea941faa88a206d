import { Failure } from "../failures.ts";
import type { IdleTimer } from "../idle_timer.ts";
import { announcesBody } from "./upload.ts";

/** A body that has been read whole; none at all counts as well. */
export interface SmallBody {
  readonly bytes: Uint8Array<ArrayBuffer> | undefined;
}

/** Bodies up to this length (bytes, announced) are read before a payment is reserved. */
const maxReadBytes = 1024 * 1024;

/**
 * Reads the body of a request if it is announced to be small, so that the request can be told from
 * others, and be sent a second time.
 *
 * @param timeoutMs for all of it: it is in nobody's way, but takes memory
 * @returns undefined when it is long or of unknown length, and is to be streamed
 * @throws {Failure} `request_timeout`
 */
export async function readSmallBody(
  request: Request,
  idleTimer: IdleTimer,
  timeoutMs: number,
): Promise<SmallBody | undefined> {
  const { headers, body } = request;
  const length = headers.get("content-length");
  if (body === null || !announcesBody(headers, length)) return { bytes: undefined };
  if (length === null || Number(length) > maxReadBytes) return undefined;
  const { promise: late, reject } = Promise.withResolvers<never>();
  const watch = idleTimer.watch(
    timeoutMs,
    () => reject(new Failure("request_timeout", "the request body did not arrive in time")),
  );
  try {
    return { bytes: await Promise.race([request.bytes(), late]) };
  } catch (error) {
    if (error instanceof Failure) throw error;
    const detail = `the request body broke off: ${(error as Error).message}`;
    throw new Failure("request_timeout", detail, { cause: error });
  } finally {
    watch.stop();
  }
}
