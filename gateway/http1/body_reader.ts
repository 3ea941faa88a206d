import type { ByteSource } from "./byte_source.ts";
import { ChunkDecoder } from "./chunk_decoder.ts";
import type { ConnectionReader } from "./connection_reader.ts";
import type { Framing } from "./framing.ts";

/** A body that ended before its end. */
export class BodyCutOff extends Error {
  constructor() {
    super("the connection ended inside the body");
  }
}

/** The body of one message on its connection. */
export abstract class BodyReader implements ByteSource {
  readonly length: number | undefined;
  #untouched = true;
  #ended = false;
  #cancelled: { readonly reason: unknown } | undefined;

  /**
   * @param onEnd called once: `clean` when the next message may follow on the connection
   */
  constructor(
    protected readonly reader: ConnectionReader,
    private readonly onEnd: (clean: boolean) => void,
    length: number | undefined,
  ) {
    this.length = length;
  }

  /** Nothing more comes of it. */
  get ended(): boolean {
    return this.#ended;
  }

  /** @throws {MalformedMessage} when what is there is no body */
  take(): Uint8Array | undefined {
    if (!this.#untouched || this.#ended) return undefined;
    try {
      if (!this.isHere()) return undefined;
    } catch (error) {
      this.#end(false);
      throw error;
    }
    const bytes = this.next() ?? new Uint8Array();
    this.#ended = true;
    // Later, because who is told may read on: what has arrived is read within the call, over the bytes.
    queueMicrotask(() => this.onEnd(true));
    return bytes;
  }

  async read(): Promise<Uint8Array | null> {
    this.#throwIfCancelled();
    this.#untouched = false;
    try {
      for (;;) {
        const bytes = this.next();
        if (bytes !== undefined) return bytes;
        if (this.isOver()) break;
        const more = await this.reader.fill();
        this.#throwIfCancelled();
        if (!more && !this.endsWithConnection) throw new BodyCutOff();
        if (!more) break;
      }
    } catch (error) {
      this.#end(false);
      throw this.#cancelled ? this.#cancelled.reason : error;
    }
    this.#end(!this.endsWithConnection);
    return null;
  }

  cancel(reason: unknown): void {
    if (this.#ended) return;
    this.#cancelled = { reason };
    this.#end(false);
  }

  /** The bytes of the body that are there; undefined when there are none. */
  protected abstract next(): Uint8Array | undefined;
  /** Whether all of it has been given out. */
  protected abstract isOver(): boolean;
  /** Whether the whole rest is there. */
  protected abstract isHere(): boolean;
  protected readonly endsWithConnection: boolean = false;

  #throwIfCancelled(): void {
    if (this.#cancelled !== undefined) throw this.#cancelled.reason;
  }

  #end(clean: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    this.onEnd(clean);
  }
}

class SizedBodyReader extends BodyReader {
  #left: number;

  constructor(reader: ConnectionReader, onEnd: (clean: boolean) => void, length: number) {
    super(reader, onEnd, length);
    this.#left = length;
  }

  protected next(): Uint8Array | undefined {
    if (this.#left === 0 || this.reader.available === 0) return undefined;
    const bytes = this.reader.consume(this.#left);
    this.#left -= bytes.byteLength;
    return bytes;
  }

  protected isOver(): boolean {
    return this.#left === 0;
  }

  protected isHere(): boolean {
    return this.reader.available >= this.#left;
  }
}

class ChunkedBodyReader extends BodyReader {
  readonly #decoder = new ChunkDecoder();
  #decoded: Uint8Array | undefined;

  constructor(reader: ConnectionReader, onEnd: (clean: boolean) => void) {
    super(reader, onEnd, undefined);
  }

  protected next(): Uint8Array | undefined {
    const decoded = this.#decoded;
    this.#decoded = undefined;
    if (decoded !== undefined || this.#decoder.done || this.reader.available === 0) return decoded;
    return this.#decoder.next(this.reader);
  }

  protected isOver(): boolean {
    return this.#decoder.done;
  }

  /** Short bodies often come in one piece. */
  protected isHere(): boolean {
    this.#decoded ??= this.#decoder.next(this.reader);
    return this.#decoder.done;
  }
}

class UnframedBodyReader extends BodyReader {
  protected override readonly endsWithConnection = true;

  constructor(reader: ConnectionReader, onEnd: (clean: boolean) => void) {
    super(reader, onEnd, undefined);
  }

  protected next(): Uint8Array | undefined {
    return this.reader.available === 0 ? undefined : this.reader.consume(Infinity);
  }

  protected isOver(): boolean {
    return false;
  }

  protected isHere(): boolean {
    return false;
  }
}

/** @param onEnd called once: `clean` when the next message may follow on the connection */
export function bodyReader(
  reader: ConnectionReader,
  framing: Framing,
  onEnd: (clean: boolean) => void,
): BodyReader {
  if (framing === "chunked") return new ChunkedBodyReader(reader, onEnd);
  if (framing === "close") return new UnframedBodyReader(reader, onEnd);
  return new SizedBodyReader(reader, onEnd, framing);
}
