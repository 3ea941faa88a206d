import { HeaderFields } from "./header_fields.ts";
import { MalformedMessage } from "./malformed_message.ts";

/** A request up to its body (RFC 9112, section 3). */
export interface RequestHead {
  readonly method: string;
  /** The request-target as received: visible ASCII without spaces. */
  readonly target: string;
  readonly minorVersion: 0 | 1;
  readonly fields: HeaderFields;
}

/** A reply up to its body (RFC 9112, section 4). */
export interface ReplyHead {
  readonly status: number;
  readonly minorVersion: 0 | 1;
  readonly fields: HeaderFields;
}

/** Header lines of one message at most: what others of the field accept, too. */
const maxLines = 128;

// A line feed or a carriage return by itself ends a line for some parsers (RFC 9112, 2.2 and 11.1).
// deno-lint-ignore no-control-regex -- control characters are what is looked for
const neverInHead = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n/;
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const lowerToken = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const targetText = /^[\x21-\x7e]+$/;
const replyLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: .*)?$/;

/**
 * @param text one character a byte, without the empty line at the end
 * @throws {MalformedMessage}
 */
export function parseRequestHead(text: string): RequestHead {
  if (neverInHead.test(text)) throw new MalformedMessage("a control character in the head");
  const end = endOfLine(text, 0);
  const afterMethod = text.indexOf(" ");
  const afterTarget = text.lastIndexOf(" ", end - 1);
  if (afterMethod <= 0 || afterTarget <= afterMethod || afterTarget > end) {
    throw new MalformedMessage("the request line has not three parts");
  }
  const method = text.slice(0, afterMethod);
  const target = text.slice(afterMethod + 1, afterTarget);
  const version = text.slice(afterTarget + 1, end);
  if (!token.test(method)) throw new MalformedMessage("the method is not a token");
  if (version !== "HTTP/1.1" && version !== "HTTP/1.0") throw badVersion(version);
  if (!targetText.test(target)) throw new MalformedMessage("the request target is not plain text");
  const minorVersion = version === "HTTP/1.1" ? 1 : 0;
  return { method, target, minorVersion, fields: parseFields(text, end + 2) };
}

/**
 * @param text one character a byte, without the empty line at the end
 * @throws {MalformedMessage}
 */
export function parseReplyHead(text: string): ReplyHead {
  if (neverInHead.test(text)) throw new MalformedMessage("a control character in the head");
  const end = endOfLine(text, 0);
  // The usual line is told apart without the expression, which costs as much as all other lines.
  const status = text.startsWith("HTTP/1.1 200 OK\r\n") ? 200 : undefined;
  if (status !== undefined) {
    return { status, minorVersion: 1, fields: parseFields(text, end + 2) };
  }
  const [, minor, code] = replyLine.exec(text.slice(0, end)) ?? [];
  if (code === undefined) throw new MalformedMessage("the status line is not that of HTTP/1.1");
  return {
    status: Number(code),
    minorVersion: minor === "1" ? 1 : 0,
    fields: parseFields(text, end + 2),
  };
}

/** The lines of a trailer section have the same grammar; nobody is told of them. */
export function checkTrailers(text: string): void {
  if (neverInHead.test(text)) throw new MalformedMessage("a control character in the trailers");
  parseFields(text, 0);
}

function parseFields(text: string, from: number): HeaderFields {
  const fields = new HeaderFields();
  let lines = 0;
  for (let start = from; start < text.length;) {
    const end = endOfLine(text, start);
    if (++lines > maxLines) throw new MalformedMessage(`more than ${maxLines} header lines`, 431);
    const colon = text.indexOf(":", start);
    const received = text.slice(start, colon < 0 || colon > end ? end : colon);
    // Also refuses folded lines and a space before the colon (RFC 9112, 5.1 and 5.2).
    const name = lowerToken.test(received) ? received : lowerName(received);
    if (colon < 0 || colon > end) throw new MalformedMessage("a header line without a colon");
    fields.append(name, trimmed(text, colon + 1, end));
    start = end + 2;
  }
  return fields;
}

function lowerName(received: string): string {
  if (!token.test(received)) throw new MalformedMessage("a header name that is not a token");
  return received.toLowerCase();
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\r\n", from);
  return end < 0 ? text.length : end;
}

const space = 0x20;
const tab = 0x09;

/** Without the white space around the value (RFC 9110, 5.5), which is space and tab alone. */
function trimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === space || code === tab;
}

function badVersion(version: string): MalformedMessage {
  return /^HTTP\/\d\.\d$/.test(version)
    ? new MalformedMessage("only HTTP/1.0 and HTTP/1.1 are spoken here", 505)
    : new MalformedMessage("the request line does not end with a version");
}
