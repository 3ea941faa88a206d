/** For tests: a connection that delivers what it is given, piece by piece. */
import { bytes } from "../upstream/raw_sockets.ts";
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
  const all = [...pieces].map((piece) => typeof piece === "string" ? bytes(piece) : piece);
  return new ConnectionReader(new Pieces(all), restingBytes);
}
