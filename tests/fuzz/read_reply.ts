/** Reads replies as strictly as RFC 9112 allows: what the gateway writes has to be beyond doubt. */
import { Refused, strictHabits } from "./habits.ts";
import { readFields } from "./read_head.ts";
import { LineReader } from "./read_lines.ts";
import { readBody } from "./read_stream.ts";

export interface ReadReply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  /** Its end was found. */
  readonly complete: boolean;
  /** Its end is that of the connection, so that nobody can tell whether all of it is there. */
  readonly unframed?: true;
}

const statusLine = /^HTTP\/1\.[01] ([1-5]\d\d) [\t\x20-\x7e\x80-\xff]*$/;

/**
 * The final replies in a text, the last one perhaps not complete.
 * @param methods of the requests, in order
 * @param ended the connection has ended after the text
 * @throws {Refused} when there is something that is no reply
 */
export function readReplies(
  text: string,
  methods: readonly string[],
  ended: boolean,
): ReadReply[] {
  const replies: ReadReply[] = [];
  let at = 0;
  while (at < text.length) {
    const lines = new LineReader(text, at, strictHabits);
    const first = lines.next();
    if (first === undefined) break;
    const status = Number(statusLine.exec(first)?.[1]);
    if (Number.isNaN(status)) throw new Refused(`no status line: ${first.slice(0, 80)}`, at);
    const headers = readFields(lines);
    if (headers === undefined) break;
    at = lines.at;
    if (status < 200 && status !== 101) continue;
    const body = readReplyBody(lines, status, headers, methods[replies.length] ?? "GET", ended);
    replies.push({ status, headers, ...body });
    if (!body.complete) break;
    at = lines.at;
  }
  return replies;
}

function readReplyBody(
  lines: LineReader,
  status: number,
  headers: ReadReply["headers"],
  method: string,
  ended: boolean,
): Pick<ReadReply, "body" | "complete" | "unframed"> {
  const valuesOf = (wanted: string) =>
    headers.filter(([name]) => name === wanted).map(([, value]) => value);
  const [codings, lengths] = [valuesOf("transfer-encoding"), valuesOf("content-length")];
  if (codings.length + lengths.length > 1) throw new Refused("more than one framing", lines.at);
  const chunked = codings.length > 0 && strictHabits.coding(codings);
  const length = lengths.length > 0 ? strictHabits.length(lengths) : undefined;
  if (chunked === "refused" || length === "refused") throw new Refused("framing", lines.at);
  // The gateway does not look for the method of what it refuses as no HTTP/1.1, and closes after it.
  const isLast = status >= 400 && valuesOf("connection").includes("close");
  const hasBody = method !== "HEAD" || isLast && lines.at < lines.text.length;
  if (!hasBody || status === 101 || status === 204 || status === 304) {
    return { body: "", complete: true };
  }
  if (chunked) return readBody(lines, "chunked");
  if (length !== undefined) return readBody(lines, length);
  const body = lines.text.slice(lines.at);
  lines.at = lines.text.length;
  return { body, complete: ended, unframed: true };
}
