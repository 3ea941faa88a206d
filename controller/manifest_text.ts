/**
 * The text of a manifest. Replaced by U+FFFD, a character of a header pattern would match something
 * else, so what is not UTF-8 is refused.
 *
 * @throws {Error} in one sentence for its author
 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error("the file is not UTF-8; save it in that encoding");
  }
}
