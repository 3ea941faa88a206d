import { Buffer } from "node:buffer";

/** The half of a connection that is written to. */
export interface Writable {
  write(bytes: Uint8Array): Promise<number>;
}

const encoder = new TextEncoder();
/** Most messages fit, head and body; larger ones get a buffer of their own. */
const pooledBytes = 16 * 1024;
const maxPooled = 64;

/**
 * Buffers for what is on its way into a socket. They come back when the write is over: until then
 * the runtime reads from them.
 */
const pool: Uint8Array<ArrayBuffer>[] = [];

export function acquireBuffer(bytes: number): Uint8Array<ArrayBuffer> {
  return bytes > pooledBytes ? new Uint8Array(bytes) : pool.pop() ?? new Uint8Array(pooledBytes);
}

export function releaseBuffer(buffer: Uint8Array<ArrayBuffer>): void {
  if (buffer.byteLength === pooledBytes && pool.length < maxPooled) pool.push(buffer);
}

const notBytes = /[^\0-\xff]/;

/**
 * Text with one byte a character, as it was read (`ConnectionReader.takeHead`).
 * @returns where it ends in the buffer, which must have room for it
 */
export function writeLatin1(text: string, buffer: Uint8Array, at: number): number {
  const { read, written } = encoder.encodeInto(text, at === 0 ? buffer : buffer.subarray(at));
  if (read === text.length && written === text.length) return at + written;
  // A character that is no byte would be cut to one: U+010A to the end of a line.
  if (notBytes.test(text)) throw new RangeError("a header with characters that are no bytes");
  // Not ASCII: written anew, a byte a character.
  return at + Buffer.from(buffer.buffer, buffer.byteOffset + at).write(text, "latin1");
}

/** @throws when the connection breaks */
export async function writeAll(to: Writable, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.byteLength > 0;) {
    const count = await to.write(rest);
    if (count === rest.byteLength) return;
    rest = rest.subarray(count);
  }
}

/** Room for the framing of a chunk besides its data, in bytes. */
const chunkOverhead = 32;

/**
 * One chunk (RFC 9112, 7.1) in one write; none for no data, which would be the last chunk.
 * @throws what `write` throws
 */
export async function writeChunk(
  data: Uint8Array,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  if (data.byteLength === 0) return;
  const buffer = acquireBuffer(data.byteLength + chunkOverhead);
  try {
    await write(frameChunk(data, buffer));
  } finally {
    releaseBuffer(buffer);
  }
}

/** The bytes of one chunk in a buffer that has room for them. */
export function frameChunk(
  data: Uint8Array,
  buffer: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  let at = writeLatin1(`${data.byteLength.toString(16)}\r\n`, buffer, 0);
  buffer.set(data, at);
  at += data.byteLength;
  buffer[at++] = 0x0d;
  buffer[at++] = 0x0a;
  return buffer.subarray(0, at);
}

/** The last chunk, without trailers. */
export const lastChunk = encoder.encode("0\r\n\r\n");
