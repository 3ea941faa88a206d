import type { RawObject } from "../cluster_state.ts";
import { errorOfEvent, excerpt, KubeError } from "./kube_error.ts";

/** An object of a namespace as the API server sends it, unchecked but for the names and version. */
export interface KubeObject extends RawObject {
  readonly metadata: RawObject["metadata"] & { readonly resourceVersion: string };
}

export interface WatchEvent {
  /** A BOOKMARK's object has nothing but its `metadata.resourceVersion`. */
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly object: KubeObject;
}

/**
 * The events in the body of a watch, as they arrive. Ends when the server ends it and, at once and
 * quietly, when the signal aborts. To be iterated or aborted: otherwise the connection stays open.
 *
 * @param request names the watch in errors
 * @throws {KubeError} for an event of type ERROR, what is no event, and a connection that breaks
 */
export function watchEvents(
  request: string,
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent> {
  const reader = body.getReader({ mode: "byob" });
  // Not by aborting the fetch: that would make the read in progress fail, and this ends it.
  const cancel = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel);
  if (signal.aborted) cancel();
  return (async function* () {
    try {
      for await (const line of lines(request, reader)) yield eventOf(request, line);
    } finally {
      signal.removeEventListener("abort", cancel);
      cancel();
    }
  })();
}

/**
 * Each byte is decoded and searched once, whatever the length of its line: an object of several
 * megabytes comes in hundreds of chunks, and joining strings copies nothing (V8 keeps a tree).
 */
async function* lines(
  request: string,
  reader: ReadableStreamBYOBReader,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  // One buffer for all reads: left to itself, fetch takes 64 KiB for the least of events, and a
  // busy hour makes the process 50 MiB larger.
  let buffer = new ArrayBuffer(65_536);
  let rest = "";
  while (true) {
    const { done, value } = await read(request, reader, new Uint8Array(buffer));
    const text = decoder.decode(value, { stream: !done });
    if (value !== undefined) buffer = value.buffer;
    let start = 0;
    for (let end; (end = text.indexOf("\n", start)) !== -1; start = end + 1) {
      const line = rest + text.slice(start, end);
      rest = "";
      yield line;
    }
    rest += text.slice(start);
    // Half an event is dropped: whoever resumes the watch is sent the whole of it.
    if (done) return;
  }
}

async function read(
  request: string,
  reader: ReadableStreamBYOBReader,
  view: Uint8Array<ArrayBuffer>,
) {
  try {
    return await reader.read(view);
  } catch (error) {
    throw new KubeError(`${request}: the connection broke: ${error}`, 0, "Unreachable", {
      cause: error,
    });
  }
}

function eventOf(request: string, line: string): WatchEvent {
  let event;
  try {
    event = JSON.parse(line);
  } catch {
    // Reported below, as is JSON that is no event.
  }
  if (event?.type === "ERROR") throw errorOfEvent(request, event.object ?? {});
  if (typeof event?.object?.metadata?.resourceVersion !== "string") {
    throw new KubeError(
      `${request}: an event with an object is expected, found: ${excerpt(line)}`,
      0,
      "InvalidResponse",
    );
  }
  return event;
}
