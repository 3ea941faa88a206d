import type { Watch } from "../idle_timer.ts";
import { clientHeaders, type HeaderLines } from "./headers.ts";
import { smallBodyBytes } from "./small_body.ts";
import { watchedStream } from "./watched_stream.ts";

/** Whether all bytes were handed to the client's connection, or one side gave up before. */
export type Delivery = "delivered" | "aborted";

export interface ReplyContext {
  /** Even a small body is watched. */
  readonly watched: boolean;
  /** Starts the idle timeout of the reply's body, which aborts the backend call. */
  startWatch(reply: Response): Watch;
  readonly onDone: ((outcome: Delivery) => void) | undefined;
}

/**
 * The backend's reply as a reply of ours, with headers that the caller may add to. Repeated lines
 * come combined (RFC 9110, 5.2) except Set-Cookie: `fetch` tells no more.
 */
export function toReply(response: Response, context: ReplyContext): Response {
  const { body } = response;
  const headers = clientHeaders(response.headers);
  // 205 has no length and no chunks, which a client takes for a body that never ends.
  const status = response.status === 205 ? 204 : response.status;
  return new Response(body === null ? null : watchedBody(response, body, headers, context), {
    status,
    headers,
  });
}

function watchedBody(
  response: Response,
  body: ReadableStream<Uint8Array>,
  headers: HeaderLines,
  context: ReplyContext,
): ReadableStream<Uint8Array> {
  const length = headers.find(([name]) => name === "content-length")?.[1];
  if (length !== undefined && Number(length) <= smallBodyBytes && !context.watched) return body;
  // Starts with the first read: until then a paid reply waits for its settlement, not for bytes.
  let watch: Watch | undefined;
  return watchedStream(body, {
    onPull: () => watch ? watch.touch() : watch = context.startWatch(response),
    onBytes: () => watch?.touch(),
    onEnd(outcome) {
      watch?.stop();
      context.onDone?.(outcome);
    },
  });
}
