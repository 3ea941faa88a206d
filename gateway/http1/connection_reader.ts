import { Buffer } from "node:buffer";
import { MalformedMessage } from "./malformed_message.ts";

/** The half of a connection that is read from. */
export interface Readable {
  read(into: Uint8Array): Promise<number | null>;
}

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
/** What is read at once of long bodies, in bytes. */
const longReadBytes = 64 * 1024;

/**
 * Buffered reading of one connection. At most one read is under way, and it may be begun long before
 * anybody needs it: that is how the end of an idle connection is noticed.
 *
 * Bytes that were handed out stay valid until the next `fill` begins.
 */
export class ConnectionReader {
  #buffer: Uint8Array<ArrayBuffer>;
  /** The same memory. Never handed out: `slice` of a Buffer is no copy. */
  #text: Buffer;
  /** What has been read and not used yet is between these two. */
  #start = 0;
  #end = 0;
  /** Up to here the head has been searched for its end. */
  #searched = 0;
  #filling: Promise<boolean> | undefined;
  #ended = false;

  /** @param restingBytes size of the buffer when nothing goes on; thousands of connections may be idle */
  constructor(private readonly source: Readable, private readonly restingBytes: number) {
    this.#buffer = new Uint8Array(restingBytes);
    this.#text = Buffer.from(this.#buffer.buffer);
  }

  /** The bytes that are there. */
  get available(): number {
    return this.#end - this.#start;
  }

  /** The other side sends no more, or the connection broke. What is there can still be used. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Waits for more bytes than there are; all who wait do so for the same read.
   * @returns false at the end of the connection
   * @throws when the connection breaks
   */
  fill(): Promise<boolean> {
    return this.#filling ??= this.#fill();
  }

  async #fill(): Promise<boolean> {
    this.#makeRoom();
    let count: number | null = null;
    try {
      count = await this.source.read(this.#buffer.subarray(this.#end));
      return count !== null;
    } finally {
      if (count === null) this.#ended = true;
      else this.#end += count;
      this.#filling = undefined;
    }
  }

  /** Up to `count` of the bytes that are there, which then count as used. */
  consume(count: number): Uint8Array<ArrayBuffer> {
    const start = this.#start;
    this.#start = Math.min(start + count, this.#end);
    return this.#buffer.subarray(start, this.#start);
  }

  /**
   * The head of the next message, one character a byte, without the empty line at its end; undefined
   * as long as it is not complete.
   * @throws {MalformedMessage} when it is longer than `maxBytes`, or a line does not end with CR LF
   */
  takeHead(maxBytes: number): string | undefined {
    this.#skipEmptyLines();
    const end = this.#findEmptyLine();
    if (end === undefined ? this.available > maxBytes : end - this.#start > maxBytes) {
      throw new MalformedMessage(`the head has more than ${maxBytes} bytes`, 431);
    }
    if (end === undefined) return undefined;
    // Unlike a `TextDecoder` for latin1, which is windows-1252 and takes nine times as long.
    const text = this.#text.toString("latin1", this.#start, end - 2);
    this.#start = end + 2;
    return text;
  }

  /** @returns where the empty line begins that ends the head */
  #findEmptyLine(): number | undefined {
    const buffer = this.#buffer;
    const start = this.#start;
    for (let i = Math.max(start, this.#searched); i < this.#end; i++) {
      if (buffer[i] !== lineFeed) continue;
      // Said at once: lines that end otherwise would be waited for until the time is over.
      if (i === start || buffer[i - 1] !== carriageReturn) {
        throw new MalformedMessage("a line of the head does not end with CR LF");
      }
      // The end can be split between two reads.
      if (i >= start + 3 && buffer[i - 2] === lineFeed) return i - 1;
    }
    this.#searched = this.#end;
  }

  /** Some clients end a body with an empty line that is not part of it (RFC 9112, 2.2). */
  #skipEmptyLines(): void {
    const buffer = this.#buffer;
    while (
      this.available >= 2 && buffer[this.#start] === carriageReturn &&
      buffer[this.#start + 1] === lineFeed
    ) this.#start += 2;
  }

  /**
   * Lets `decode` work on the bytes that are there, in place: it gets the buffer and the two ends, and
   * returns up to where it has used them.
   */
  decode(use: (buffer: Uint8Array<ArrayBuffer>, start: number, end: number) => number): void {
    this.#start = use(this.#buffer, this.#start, this.#end);
  }

  bytesBetween(start: number, end: number): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(start, end);
  }

  /** Nothing goes on: gives memory back. */
  rest(): void {
    const mayShrink = this.#filling === undefined && this.available === 0;
    if (!mayShrink || this.#buffer.byteLength === this.restingBytes) return;
    this.#use(new Uint8Array(this.restingBytes));
    this.#start = this.#end = this.#searched = 0;
  }

  #makeRoom(): void {
    const size = this.#buffer.byteLength;
    const wasFilled = this.#end === size;
    if (this.#start === this.#end) {
      this.#start = this.#end = this.#searched = 0;
      // More came than fitted: with larger reads a long body costs fewer of them.
      if (wasFilled && size < longReadBytes) {
        this.#use(new Uint8Array(Math.min(size * 4, longReadBytes)));
      }
    } else if (wasFilled) {
      this.#moveToFront(this.#start > 0 ? this.#buffer : new Uint8Array(size * 2));
    }
  }

  #moveToFront(buffer: Uint8Array<ArrayBuffer>): void {
    buffer.set(this.#buffer.subarray(this.#start, this.#end));
    this.#searched = Math.max(0, this.#searched - this.#start);
    this.#end -= this.#start;
    this.#start = 0;
    this.#use(buffer);
  }

  #use(buffer: Uint8Array<ArrayBuffer>): void {
    if (buffer === this.#buffer) return;
    this.#buffer = buffer;
    this.#text = Buffer.from(buffer.buffer);
  }
}
