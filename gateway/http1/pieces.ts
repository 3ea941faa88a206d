/** For tests: a connection that delivers what it is given, piece by piece. */
import { ConnectionReader, type Readable } from "./connection_reader.ts";

/** One piece a read, as far as the reader has room for it; then the end. */
class Pieces implements Readable {
  #next = 0;

  constructor(private readonly pieces: Uint8Array[]) {}

  read(into: Uint8Array): Promise<number | null> {
    const piece = this.pieces[this.#next];
    if (piece === undefined) return Promise.resolve(null);
    const count = Math.min(into.byteLength, piece.byteLength);
    into.set(piece.subarray(0, count));
    if (count === piece.byteLength) this.#next++;
    else this.pieces[this.#next] = piece.subarray(count);
    return Promise.resolve(count);
  }
}

/** @param pieces texts of one character a byte, or bytes */
export function readerOf(
  pieces: Iterable<string | Uint8Array>,
  restingBytes = 4096,
): ConnectionReader {
  const bytes = [...pieces].map((piece) => typeof piece === "string" ? latin1(piece) : piece);
  return new ConnectionReader(new Pieces(bytes), restingBytes);
}

/** The bytes of a text, one a character. */
export function latin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** The text of bytes, one character each. */
export function textOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}
