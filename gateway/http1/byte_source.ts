/**
 * The bytes of a body, for one reader. Three methods instead of a web stream: a `ReadableStream`
 * costs more than the whole request that it belongs to (measured, Deno 2.9.6).
 */
export interface ByteSource {
  /** Bytes of the whole body, where that is known before its end. */
  readonly length: number | undefined;
  /**
   * The whole body, if it has arrived and nothing of it has been read, which also ends the source;
   * undefined otherwise. The bytes are valid until the caller gives up control (`await`).
   */
  take(): Uint8Array | undefined;
  /**
   * The next bytes, valid until the next call of any method; null after the last.
   * @throws when the body breaks off
   */
  read(): Promise<Uint8Array | null>;
  /** Nobody is going to read the rest. Also while a read is waiting, which then throws the reason. */
  cancel(reason: unknown): void;
}

/** Bytes that are already there. */
export class BytesSource implements ByteSource {
  readonly length: number;
  #rest: Uint8Array | null;

  constructor(bytes: Uint8Array) {
    this.length = bytes.byteLength;
    this.#rest = bytes;
  }

  take(): Uint8Array | undefined {
    const rest = this.#rest ?? undefined;
    this.#rest = null;
    return rest;
  }

  read(): Promise<Uint8Array | null> {
    const rest = this.#rest;
    this.#rest = null;
    return Promise.resolve(rest);
  }

  cancel(): void {
    this.#rest = null;
  }
}

/**
 * All of a body in memory of its own.
 * @param maxBytes more than that is an error, and cancels the source
 */
export async function readAll(
  source: ByteSource,
  maxBytes = Infinity,
): Promise<Uint8Array<ArrayBuffer>> {
  const here = source.take();
  if (here !== undefined) return here.slice();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for (let chunk; (chunk = await source.read()) !== null;) {
    length += chunk.byteLength;
    if (length > maxBytes) {
      const error = new RangeError(`the body has more than ${maxBytes} bytes`);
      source.cancel(error);
      throw error;
    }
    chunks.push(chunk.slice());
  }
  return joinBytes(chunks, length);
}

/** @param length of all of them together */
export function joinBytes(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(length);
  let end = 0;
  for (const chunk of chunks) {
    all.set(chunk, end);
    end += chunk.byteLength;
  }
  return all;
}
