import type { ByteSource } from "../http1/byte_source.ts";
import { HeaderFields, type HeaderLine } from "../http1/header_fields.ts";
import type { UpgradedConnection } from "./upgraded_connection.ts";

/** Whether all bytes were handed to the client's connection, or one side gave up before. */
export type Delivery = "delivered" | "aborted";

interface ReplyParts {
  readonly status: number;
  /** Without those of the framing, which belongs to the connection; `content-length` counts for HEAD. */
  readonly headers: HeaderFields;
  readonly body: ByteSource | Uint8Array | null;
  /** Told once, of every reply that was handed over. */
  readonly onEnd?: ((delivery: Delivery) => void) | undefined;
  /** With status 101: what the client is connected to. */
  readonly upgraded?: UpgradedConnection | undefined;
  /** Status line and header lines as bytes, where they were prepared for many replies. */
  readonly encoded?: Uint8Array | undefined;
}

/** What a client is answered. It is not changed, only replaced by one that says more. */
export class Reply implements ReplyParts {
  readonly status: number;
  readonly headers: HeaderFields;
  readonly body: ByteSource | Uint8Array | null;
  readonly onEnd: ((delivery: Delivery) => void) | undefined;
  readonly upgraded: UpgradedConnection | undefined;
  readonly encoded: Uint8Array | undefined;

  constructor({ status, headers, body, onEnd, upgraded, encoded }: ReplyParts) {
    this.status = status;
    this.headers = headers;
    this.body = body;
    this.onEnd = onEnd;
    this.upgraded = upgraded;
    this.encoded = encoded;
  }

  /** Header lines in place of those of the same name. */
  setting(lines: readonly HeaderLine[]): Reply {
    const headers = HeaderFields.of(this.headers);
    for (const [name, value] of lines) headers.set(name, value);
    return new Reply({ ...this, headers, encoded: undefined });
  }

  /** Header lines besides those that are there. */
  adding(lines: readonly HeaderLine[]): Reply {
    const headers = HeaderFields.of(this.headers);
    for (const [name, value] of lines) headers.append(name, value);
    return new Reply({ ...this, headers, encoded: undefined });
  }

  /** The same head with another body. */
  withBody(body: ByteSource | Uint8Array | null): Reply {
    return new Reply({ ...this, body });
  }
}

/** A short reply of the gateway's own. */
export function textReply(status: number, lines: readonly HeaderLine[], text: string): Reply {
  return new Reply({ status, headers: HeaderFields.of(lines), body: utf8.encode(text) });
}

/** A reply without a body. */
export function emptyReply(status: number, lines: readonly HeaderLine[] = []): Reply {
  return new Reply({ status, headers: HeaderFields.of(lines), body: null });
}

const utf8 = new TextEncoder();
