import type { ConnectionReader } from "./connection_reader.ts";
import { MalformedMessage } from "./malformed_message.ts";
import { checkTrailers } from "./message_head.ts";

/** No chunk is longer: 2^52 bytes and more cannot be counted. */
const maxChunkBytes = 2 ** 52;
/** Of the extensions of all chunks of a body, which nobody uses but attackers. */
const maxExtensionBytes = 16 * 1024;
const maxTrailerBytes = 16 * 1024;

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const semicolon = 0x3b;

type State =
  | "size"
  | "extension"
  | "endOfSize"
  | "data"
  | "afterData"
  | "endOfData"
  | "trailers"
  | "done";

/**
 * Takes chunks apart (RFC 9112, 7.1), strictly: what one parser forgives, another reads differently.
 * Whatever has arrived is given out in one piece, so tiny chunks cost no more than their bytes.
 */
export class ChunkDecoder {
  #state: State = "size";
  #digits = 0;
  /** Of the chunk: what its size line says, then what is missing of its data. */
  #left = 0;
  #extensionBytes = 0;
  #trailers = "";
  /** Of the current line of the trailers. */
  #lineBytes = 0;
  #previous = 0;

  /** The last chunk and the trailers have been read. */
  get done(): boolean {
    return this.#state === "done";
  }

  /**
   * The data of all chunks that are there, moved together in the reader's buffer; undefined when there
   * is none.
   * @throws {MalformedMessage}
   */
  next(reader: ConnectionReader): Uint8Array | undefined {
    let from = 0;
    let to = 0;
    reader.decode((buffer, start, end) => {
      let at = start;
      while (at < end && this.#state !== "done") {
        if (this.#state !== "data") {
          this.#step(buffer[at++]!);
          continue;
        }
        const count = Math.min(this.#left, end - at);
        if (to === 0) from = to = at;
        else buffer.copyWithin(to, at, at + count);
        to += count;
        at += count;
        this.#left -= count;
        if (this.#left === 0) this.#state = "afterData";
      }
      return at;
    });
    return to > from ? reader.bytesBetween(from, to) : undefined;
  }

  #step(byte: number): void {
    switch (this.#state) {
      case "size":
        return this.#size(byte);
      case "extension":
        return this.#extension(byte);
      case "endOfSize":
        expect(byte, lineFeed);
        this.#state = this.#left > 0 ? "data" : "trailers";
        return;
      case "afterData":
        expect(byte, carriageReturn);
        this.#state = "endOfData";
        return;
      case "endOfData":
        expect(byte, lineFeed);
        this.#state = "size";
        this.#digits = 0;
        return;
      case "trailers":
        return this.#trailer(byte);
    }
  }

  #size(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.#left = this.#left * 16 + digit;
      // Leading zeros could go on for ever.
      if (++this.#digits > 16 || this.#left > maxChunkBytes) throw malformed("is too long");
      return;
    }
    if (this.#digits === 0) throw malformed("has no size");
    if (byte === carriageReturn) this.#state = "endOfSize";
    else if (byte === semicolon) this.#state = "extension";
    else throw malformed("has a size that is not hexadecimal");
  }

  #extension(byte: number): void {
    if (byte === carriageReturn) {
      this.#state = "endOfSize";
      return;
    }
    // A line feed by itself ends the line for some parsers and not for others.
    if ((byte < 0x20 && byte !== 0x09) || byte === 0x7f) throw malformed("has a broken extension");
    if (++this.#extensionBytes > maxExtensionBytes) throw malformed("has too long an extension");
  }

  #trailer(byte: number): void {
    // Never looked at before its end: that would copy the whole text for every byte.
    this.#trailers += String.fromCharCode(byte);
    if (this.#trailers.length > maxTrailerBytes) throw malformed("has too long trailers");
    const previous = this.#previous;
    this.#previous = byte;
    this.#lineBytes++;
    if (byte !== lineFeed) return;
    if (previous !== carriageReturn) throw malformed("has trailers that do not end with CR LF");
    if (this.#lineBytes === 2) {
      checkTrailers(this.#trailers.slice(0, -4));
      this.#state = "done";
    }
    this.#lineBytes = 0;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function expect(byte: number, expected: number): void {
  if (byte !== expected) throw malformed("does not end where it should");
}

function malformed(what: string): MalformedMessage {
  return new MalformedMessage(`a chunk ${what}`);
}
