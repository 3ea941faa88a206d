import type { ByteSource } from "../http1/byte_source.ts";
import { HeaderFields, type HeaderLine } from "../http1/header_fields.ts";
import type { UpgradedConnection } from "./upgraded_connection.ts";

/** Whether all bytes were handed to the client's connection, or one side gave up before. */
export type Delivery = "delivered" | "aborted";

interface ReplyParts {
  readonly status: number;
  /** Without those of the framing, which belongs to the connection; `content-length` counts for HEAD. */
  readonly headers: HeaderFields;
  readonly body: ReplyBody;
  /** Told once, of every reply that was handed over. */
  readonly onEnd?: ((delivery: Delivery) => void) | undefined;
  /** With status 101: what the client is connected to. */
  readonly upgraded?: UpgradedConnection | undefined;
  /** The same as bytes, where most of them were made before. */
  readonly prepared?: PreparedReply | undefined;
}

/** Bytes of many replies that differ in one place. Copying them costs a tenth of encoding their text. */
export interface PreparedText {
  readonly before: Uint8Array;
  /** ASCII. */
  readonly text: string;
  readonly after: Uint8Array;
}

export interface PreparedReply {
  /** Status line and header lines (`statusAndFields`). */
  readonly head: PreparedText;
  readonly body: PreparedText;
}

/** A string is ASCII, and goes out with the header without bytes of its own. */
export type ReplyBody = ByteSource | Uint8Array | string | null;

/** Whether a body has to be read or cancelled. */
export function isSource(body: ReplyBody): body is ByteSource {
  return body !== null && typeof body !== "string" && !(body instanceof Uint8Array);
}

/** What a client is answered. It is not changed, only replaced by one that says more. */
export class Reply implements ReplyParts {
  readonly status: number;
  readonly headers: HeaderFields;
  readonly body: ReplyBody;
  readonly onEnd: ((delivery: Delivery) => void) | undefined;
  readonly upgraded: UpgradedConnection | undefined;
  readonly prepared: PreparedReply | undefined;

  constructor({ status, headers, body, onEnd, upgraded, prepared }: ReplyParts) {
    this.status = status;
    this.headers = headers;
    this.body = body;
    this.onEnd = onEnd;
    this.upgraded = upgraded;
    this.prepared = prepared;
  }

  /** Header lines in place of those of the same name. */
  setting(lines: readonly HeaderLine[]): Reply {
    const headers = HeaderFields.of(this.headers);
    for (const [name, value] of lines) headers.set(name, value);
    return new Reply({ ...this, headers, prepared: undefined });
  }

  /** Header lines besides those that are there. */
  adding(lines: readonly HeaderLine[]): Reply {
    const headers = HeaderFields.of(this.headers);
    for (const [name, value] of lines) headers.append(name, value);
    return new Reply({ ...this, headers, prepared: undefined });
  }

  /** The same head with another body. */
  withBody(body: ReplyBody): Reply {
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
