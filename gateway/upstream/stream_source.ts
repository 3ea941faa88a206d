import type { ByteSource } from "../http1/byte_source.ts";

/** The body of a reply of `fetch`. */
export class StreamSource implements ByteSource {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  /**
   * @param response whose body it is. Once it has been collected, its fetch's signal no longer ends the
   * reading of its body (measured, Deno 2.9.6): it is kept for as long as the body.
   * @param length bytes, where it is announced
   * @param controller of that signal
   */
  constructor(
    private readonly response: Response,
    body: ReadableStream<Uint8Array>,
    readonly length: number | undefined,
    private readonly controller: AbortController,
  ) {
    this.#reader = body.getReader();
  }

  take(): undefined {
    return undefined;
  }

  async read(): Promise<Uint8Array | null> {
    const { value } = await this.#reader.read();
    return value ?? null;
  }

  cancel(reason: unknown): void {
    this.controller.abort(reason);
    this.#reader.cancel(reason).catch(() => {});
  }
}

/** A body as a web stream; nothing is read ahead. */
export function streamOf(source: ByteSource): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    async pull(controller) {
      try {
        const bytes = source.take() ?? await source.read();
        if (bytes === null) controller.close();
        // A copy: the runtime reads from it after the next read has begun.
        else controller.enqueue(bytes.slice());
      } catch (error) {
        controller.error(error);
      }
    },
    cancel: (reason) => source.cancel(reason),
  }, { highWaterMark: 0 });
}
