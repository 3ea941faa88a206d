/**
 * A streamed request body of known length. `fetch` sends every JavaScript stream chunked, whatever
 * `content-length` says, except the stream of a Blob, whose size it takes as the length; there are
 * backends that do not read chunked requests. A stream that ends early makes `fetch` fail.
 */
export class SizedBody extends Blob {
  constructor(
    private readonly body: ReadableStream<Uint8Array<ArrayBuffer>>,
    readonly length: number,
  ) {
    super();
  }

  override get size(): number {
    return this.length;
  }

  override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.body;
  }
}
