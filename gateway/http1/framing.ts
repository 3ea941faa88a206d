import type { ReplyHead, RequestHead } from "./message_head.ts";
import type { ReadableFields } from "./header_fields.ts";
import { MalformedMessage } from "./malformed_message.ts";

/** How the end of a body is found: after so many bytes, by its chunks, or where the connection ends. */
export type Framing = number | "chunked" | "close";

/** 2^53 and more cannot be counted; no body is that long. */
const maxLength = 2 ** 52;

/**
 * The body of a request (RFC 9112, 6.3), read strictly: wherever two parsers could differ about where
 * the next request begins, there is none.
 * @throws {MalformedMessage}
 */
export function requestFraming({ fields, minorVersion }: RequestHead): Framing {
  const length = contentLength(fields);
  const chunked = isChunked(fields, minorVersion);
  if (chunked && length !== undefined) {
    throw new MalformedMessage("both a content-length and a transfer-encoding");
  }
  return chunked ? "chunked" : length ?? 0;
}

/**
 * The body of a reply (RFC 9112, 6.3) to a request with that method.
 * @throws {MalformedMessage}
 */
export function replyFraming({ fields, minorVersion, status }: ReplyHead, method: string): Framing {
  const length = contentLength(fields);
  const chunked = isChunked(fields, minorVersion);
  if (chunked && length !== undefined) {
    throw new MalformedMessage("both a content-length and a transfer-encoding");
  }
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) return 0;
  return chunked ? "chunked" : length ?? "close";
}

/** Whether the connection may be used for another message (RFC 9112, 9.3). */
export function persists(fields: ReadableFields, minorVersion: 0 | 1): boolean {
  const connection = fields.get("connection");
  if (connection === null) return minorVersion === 1;
  const options = connection.toLowerCase().split(",").map((option) => option.trim());
  if (options.includes("close")) return false;
  return minorVersion === 1 || options.includes("keep-alive");
}

function contentLength(fields: ReadableFields): number | undefined {
  // Two lines come joined by a comma, and are refused even if they are equal: RFC 9112, 6.3 allows both.
  const text = fields.get("content-length");
  if (text === null) return undefined;
  const length = /^\d{1,16}$/.test(text) ? Number(text) : Infinity;
  if (length > maxLength) throw new MalformedMessage("content-length is not one number");
  return length;
}

function isChunked(fields: ReadableFields, minorVersion: 0 | 1): boolean {
  const coding = fields.get("transfer-encoding");
  if (coding === null) return false;
  // A proxy of HTTP/1.0 passes the line on without understanding it (RFC 9112, 6.1).
  if (minorVersion === 0) throw new MalformedMessage("a transfer-encoding in HTTP/1.0");
  if (coding.toLowerCase() !== "chunked") {
    throw new MalformedMessage("a transfer-encoding other than chunked", 501);
  }
  return true;
}
