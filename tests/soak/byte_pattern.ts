/** Bytes of long bodies, of which each place can be checked by itself. */

/** A prime, so that no buffer's size hides a piece that is missing or there twice. */
const period = 65_521;

const pattern = Uint8Array.from({ length: 2 * period }, (_, at) => {
  const place = at % period;
  return (place * 31 + (place >> 8) * 17) & 0xff;
});

/** `length` bytes, at most 65,521, of the pattern from `offset` on. */
export function patternAt(offset: number, length: number): Uint8Array<ArrayBuffer> {
  const start = offset % period;
  return pattern.subarray(start, start + Math.min(length, period));
}

/** A body of `length` bytes. */
export function patternOf(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += period) bytes.set(patternAt(at, length - at), at);
  return bytes;
}

/** Whether these bytes are what the pattern has from `offset` on. */
export function isPatternAt(offset: number, bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += period) {
    const expected = patternAt(offset + at, bytes.length - at);
    for (let i = 0; i < expected.length; i++) if (bytes[at + i] !== expected[i]) return false;
  }
  return true;
}
