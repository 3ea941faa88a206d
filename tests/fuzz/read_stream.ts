/** What a parser of HTTP/1 makes of the bytes of one connection. */
import { type ParserHabits, Refused } from "./habits.ts";
import { type MessageHead, readFields, readHead } from "./read_head.ts";
import { LineReader } from "./read_lines.ts";

export interface ReadMessage extends MessageHead {
  /** Offset of the first character of its head. */
  readonly start: number;
  /** As far as it is there, decoded. */
  readonly body: string;
  readonly trailers: readonly (readonly [name: string, value: string])[];
  /** Its end was found. */
  readonly complete: boolean;
}

export interface ReadStream {
  readonly by: ParserHabits;
  readonly messages: readonly ReadMessage[];
  /** Of what stands at this offset and later, this parser says nothing. */
  readonly until: number;
  /** Why it stopped there, when that is not the end. */
  readonly refused?: string;
}

/** Reads requests until the end, a refusal, or a message after which the connection is closed. */
export function readStream(text: string, habits: ParserHabits): ReadStream {
  const messages: ReadMessage[] = [];
  let at = 0;
  while (at < text.length) {
    const lines = new LineReader(text, at, habits);
    try {
      const head = readHead(lines);
      if (head === undefined) return { by: habits, messages, until: at };
      const body = startBody(head, habits, at);
      messages.push({ ...head, start: at, body: "", trailers: [], complete: false });
      messages[messages.length - 1] = { ...messages.at(-1)!, ...readBody(lines, body) };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      // A fault in the head is one of the whole message; one in the body comes after it has begun.
      const until = messages.at(-1)?.start === at ? error.at : at;
      return { by: habits, messages, until, refused: error.reason };
    }
    const last = messages.at(-1)!;
    // In the middle of a body: all that is there belongs to it.
    if (!last.complete) break;
    at = lines.at;
    // Nothing may be processed after it (RFC 9112, 9.6); lax ones are not asked what they would do.
    if (!persists(last)) return { by: habits, messages, until: habits.strict ? Infinity : at };
  }
  return { by: habits, messages, until: Infinity };
}

/** Length in bytes, or chunked. */
type Framing = number | "chunked";

/** @throws {Refused} */
export function startBody(head: MessageHead, habits: ParserHabits, at: number): Framing {
  const valuesOf = (wanted: string) =>
    head.headers.filter(([name]) => name === wanted).map(([, value]) => value);
  const codings = valuesOf("transfer-encoding");
  const lengths = valuesOf("content-length");
  let chunked: boolean | "refused" = codings.length > 0 && habits.coding(codings);
  if (chunked !== false && head.version === "1.0" && habits.oldCoding !== "known") {
    chunked = habits.oldCoding === "ignored" ? false : "refused";
  }
  const length = lengths.length > 0 ? habits.length(lengths) : undefined;
  if (chunked === "refused") throw new Refused("a transfer-encoding other than chunked", at);
  if (length === "refused") throw new Refused("a content-length that is not one number", at);
  if (chunked && length !== undefined) {
    if (habits.both === "refused") throw new Refused("both framings", at);
    if (habits.both === "length") return length;
  }
  return chunked ? "chunked" : length ?? 0;
}

type ReadBody = Pick<ReadMessage, "body" | "trailers" | "complete">;

/** @throws {Refused} */
export function readBody(lines: LineReader, framing: Framing): ReadBody {
  if (framing === "chunked") return readChunks(lines);
  const body = lines.text.slice(lines.at, lines.at + framing);
  lines.at += body.length;
  return { body, trailers: [], complete: body.length === framing };
}

function readChunks(lines: LineReader): ReadBody {
  const { text, habits } = lines;
  let body = "";
  const cut = () => ({ body, trailers: [], complete: false });
  for (;;) {
    const at = lines.at;
    const line = lines.next();
    if (line === undefined) return cut();
    const size = habits.chunkSize(line);
    if (size === "refused") throw new Refused("a chunk size that is none", at);
    if (size === 0) {
      const trailers = readFields(lines);
      return trailers === undefined ? cut() : { body, trailers, complete: true };
    }
    const chunk = text.slice(lines.at, lines.at + size);
    body += chunk;
    lines.at += chunk.length;
    if (chunk.length < size || lines.at >= text.length) return cut();
    if (!skipChunkEnd(lines)) return cut();
  }
}

/** False when the text ends before. */
function skipChunkEnd(lines: LineReader): boolean {
  const { text, at, habits: { chunkEnd } } = lines;
  const next = text.slice(at, at + 2);
  if (chunkEnd === "nothing") return true;
  if (chunkEnd === "CRLF or LF" && next[0] === "\n") lines.at += 1;
  else if (next.length < 2 && (chunkEnd === "any two" || next === "\r")) return false;
  else if (chunkEnd === "any two" || next === "\r\n") lines.at += 2;
  else throw new Refused("a chunk without its end", at);
  return true;
}

function persists({ version, headers }: MessageHead): boolean {
  if (version === "0.9") return false;
  const options = headers.filter(([name]) => name === "connection")
    .flatMap(([, value]) => value.toLowerCase().split(",")).map((option) => option.trim());
  if (options.includes("close")) return false;
  return version !== "1.0" || options.includes("keep-alive");
}
