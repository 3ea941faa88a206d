import type { ByteSource } from "../http1/byte_source.ts";
import type { HeaderFields } from "../http1/header_fields.ts";
import type { RequestHead } from "../http1/message_head.ts";

/** A request as the gateway gets it. */
export class ClientRequest {
  readonly method: string;
  /** The request-target as received (RFC 9112, 3.2). */
  readonly target: string;
  readonly headers: HeaderFields;
  #gone = false;

  /**
   * @param body null when the request has none
   * @param peer IP address of the other end of the connection
   */
  constructor(
    { method, target, fields }: RequestHead,
    readonly body: ByteSource | null,
    readonly peer: string,
  ) {
    this.method = method;
    this.target = target;
    this.headers = fields;
  }

  /** Called once when the client leaves before its reply is complete. */
  onGone: (() => void) | undefined;

  /** The client has left, or at least sends nothing more: the two look the same. */
  get gone(): boolean {
    return this.#gone;
  }

  markGone(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.onGone?.();
  }
}
