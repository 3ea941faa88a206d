/** A message that breaks the rules of HTTP/1.1; nothing after it on its connection can be trusted. */
export class MalformedMessage extends Error {
  /** @param status what a server answers it with */
  constructor(message: string, readonly status: 400 | 431 | 501 | 505 = 400) {
    super(message);
  }
}
