import { Failure } from "../failures.ts";
import { smallBodyBytes } from "./small_body.ts";
import { watchedStream } from "./watched_stream.ts";

/** Bytes; absent means unlimited. */
export interface UploadLimits {
  /** `Deno.serve` spends quadratic time on large chunked uploads, so these need a limit. */
  readonly maxChunkedBodyBytes: number;
  readonly maxBodyBytes?: number;
}

/** The request body on its way to the backend. */
export interface Upload {
  readonly body: ReadableStream<Uint8Array> | null;
  /** The client has not sent all of it yet. Not known of small bodies. */
  unfinished?: boolean;
  /** Breaks an unfinished upload off; the backend sees a broken connection. */
  abandon?: (reason: unknown) => void;
  /** Called when an unfinished upload has ended, well or not. */
  whenEnded?: () => void;
  /** Why the upload broke off: `fetch` reports only that it did. */
  failure?: unknown;
}

/**
 * The body to send, in the framing in which it came (RFC 9112, 6.3).
 * @param onActivity called for every chunk: a slow upload is not a silent backend
 * @throws {Failure} `body_too_large` when the announced length already is
 */
export function openUpload(
  request: Request,
  limits: UploadLimits,
  onActivity: () => void,
): Upload {
  const { headers, body } = request;
  if (body === null) return { body };
  const length = headers.get("content-length");
  if (!announcesBody(headers, length)) return { body: null };
  const limit = checkAnnouncedLength(request, limits);
  // Too small to be slow for long, and passing it on in JavaScript doubles the cost of a request.
  if (length !== null && Number(length) <= smallBodyBytes) return { body };
  return watchedUpload(body, limit, onActivity);
}

/**
 * The most bytes that the body may have.
 * @throws {Failure} `body_too_large` when it is announced to have more
 */
export function checkAnnouncedLength({ headers }: Request, limits: UploadLimits): number {
  const length = headers.get("content-length");
  const chunkedLimit = length === null ? limits.maxChunkedBodyBytes : Infinity;
  const limit = Math.min(chunkedLimit, limits.maxBodyBytes ?? Infinity);
  if (Number(length) > limit) throw bodyTooLarge(limit);
  return limit;
}

/** Without either header an HTTP/1 request has no body; HTTP/2 (no Host header) needs neither. */
export function announcesBody(headers: Headers, length: string | null): boolean {
  if (length !== null) return length !== "0";
  return headers.has("transfer-encoding") || !headers.has("host");
}

function watchedUpload(
  source: ReadableStream<Uint8Array>,
  limit: number,
  onActivity: () => void,
): Upload {
  let sent = 0;
  const { promise: broken, reject: abandon } = Promise.withResolvers<never>();
  broken.catch(() => {});
  const upload: Upload = {
    unfinished: true,
    abandon,
    body: watchedStream(source, {
      broken,
      onBytes(count) {
        sent += count;
        if (sent > limit) throw upload.failure = bodyTooLarge(limit);
        onActivity();
      },
      onEnd() {
        upload.unfinished = false;
        onActivity();
        upload.whenEnded?.();
      },
    }),
  };
  return upload;
}

function bodyTooLarge(limit: number): Failure {
  return new Failure("body_too_large", `the request body has more than ${limit} bytes`);
}
