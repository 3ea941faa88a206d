import type { ByteSource } from "../http1/byte_source.ts";

/** A web stream as a body. */
export class StreamSource implements ByteSource {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  /**
   * @param length bytes, where it is announced
   * @param owner what ends the stream. Once a Response has been collected, its fetch's signal no longer
   * ends the reading of its body (measured, Deno 2.9.6): it is kept for as long as the body.
   */
  constructor(
    stream: ReadableStream<Uint8Array>,
    readonly length: number | undefined,
    private readonly owner: AbortController,
  ) {
    this.#reader = stream.getReader();
  }

  take(): undefined {
    return undefined;
  }

  async read(): Promise<Uint8Array | null> {
    const { value } = await this.#reader.read();
    return value ?? null;
  }

  cancel(reason: unknown): void {
    this.owner.abort(reason);
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
