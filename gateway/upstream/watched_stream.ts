/** What is told about a stream while it flows. */
export interface StreamWatcher {
  /** Somebody asks for bytes: called before each read. */
  onPull?(): void;
  /** @throws to end the stream with an error; the source is then cancelled */
  onBytes(count: number): void;
  /** Ends the stream with an error when it rejects, also while a read is waiting. */
  readonly broken?: Promise<never>;
  /** Once: all bytes were handed over, or not because either side gave up. */
  onEnd(outcome: "delivered" | "aborted"): void;
}

/**
 * The same bytes, with every step reported. Nothing is read ahead, and the source's errors and the
 * reader's cancellation pass through, so a broken reply never ends like a complete one.
 */
export function watchedStream(
  source: ReadableStream<Uint8Array>,
  watcher: StreamWatcher,
): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  return new ReadableStream({
    async pull(controller) {
      watcher.onPull?.();
      try {
        const reading = reader.read();
        const { done, value } =
          await (watcher.broken ? Promise.race([reading, watcher.broken]) : reading);
        if (done) {
          controller.close();
          return watcher.onEnd("delivered");
        }
        watcher.onBytes(value.byteLength);
        controller.enqueue(value);
      } catch (error) {
        controller.error(error);
        watcher.onEnd("aborted");
        // Also for the client of a refused upload: unless its body is taken or cancelled, no reply
        // reaches a client that reads only after it has sent all.
        await reader.cancel(error).catch(() => {});
      }
    },
    cancel(reason) {
      watcher.onEnd("aborted");
      return reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
