import type { ByteSource } from "../http1/byte_source.ts";
import {
  acquireBuffer,
  lastChunk,
  releaseBuffer,
  writeChunk,
  writeLatin1,
} from "../http1/message_writer.ts";
import type { Deadline } from "./deadline.ts";
import { isSource, type PreparedReply, type PreparedText, type Reply } from "./reply.ts";
import { dateLine, framingOf, type ReplyFraming, statusAndFields } from "./reply_head.ts";

/** Bodies up to this many bytes go out with the head in one system call. */
const maxJoinedBytes = 64 * 1024;

/** Writes replies to one connection. */
export class ReplyWriter {
  /** Of the last reply: something was written of it. */
  begun = false;

  constructor(
    private readonly connection: Pick<Deno.Conn, "write">,
    private readonly deadline: Deadline,
    private readonly idleMs: number,
  ) {}

  /**
   * @param method of the request
   * @param http11 whether the client knows chunks
   * @param mayPersist whether another request may follow as far as the client and the gateway care
   * @returns whether another one may follow
   * @throws when the connection or the body breaks; what was sent cannot be told from a part then
   */
  async write(
    reply: Reply,
    method: string,
    http11: boolean,
    mayPersist: boolean,
  ): Promise<boolean> {
    this.begun = false;
    const isHead = method === "HEAD";
    const framing = framingOf(reply, isHead, http11);
    const persists = mayPersist && framing !== "close";
    const { body } = reply;
    if (framing === "none" || !isSource(body)) {
      if (isSource(body)) body.cancel(new Error("no body wanted"));
      const whole = framing === "none" || isSource(body) ? null : body;
      await this.#writeHead(reply, isHead, framing, whole?.length ?? 0, persists, whole);
      return persists;
    }
    const here = body.take();
    if (here !== undefined) {
      // Also the length of a chunked body is known now.
      const known = framing === "chunked" ? "length" : framing;
      await this.#writeHead(reply, isHead, known, here.byteLength, persists, here);
      return persists;
    }
    await this.#writeHead(reply, isHead, framing, body.length ?? 0, persists, null);
    await this.#stream(body, framing);
    return persists;
  }

  /** @throws when the connection breaks */
  async writeBytes(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.byteLength > 0;) {
      let count = 0;
      this.deadline.waitForClient(this.idleMs);
      try {
        count = await this.connection.write(rest);
      } finally {
        this.deadline.clientMoved(count);
      }
      if (count === rest.byteLength) return;
      rest = rest.subarray(count);
    }
  }

  async #writeHead(
    reply: Reply,
    isHead: boolean,
    framing: ReplyFraming,
    length: number,
    persists: boolean,
    body: Uint8Array | string | null,
  ): Promise<void> {
    const { status, headers, prepared } = reply;
    const end = framingLine(framing, length) + (persists ? "\r\n" : "connection: close\r\n\r\n");
    if (prepared !== undefined) {
      return await this.#writePrepared(prepared, dateLine() + end, body !== null);
    }
    let start = statusAndFields(status, headers, isHead) +
      (headers.has("date") ? "" : dateLine()) + end;
    if (typeof body === "string") start += body;
    const bytes = typeof body === "string" || body === null ? undefined : body;
    const joined = bytes !== undefined && bytes.byteLength <= maxJoinedBytes ? bytes : undefined;
    const buffer = acquireBuffer(start.length * 2 + (joined?.byteLength ?? 0));
    try {
      let at = writeLatin1(start, buffer, 0);
      if (joined !== undefined) {
        buffer.set(joined, at);
        at += joined.byteLength;
      }
      // Never bytes of a reader: those fit into its buffer, which is no longer than what is joined.
      const rest = joined === undefined ? bytes : undefined;
      await this.#begin(buffer.subarray(0, at));
      if (rest !== undefined) await this.writeBytes(rest);
    } finally {
      releaseBuffer(buffer);
    }
  }

  async #writePrepared(
    { head, body }: PreparedReply,
    end: string,
    withBody: boolean,
  ): Promise<void> {
    const buffer = acquireBuffer(lengthOf(head) + end.length + lengthOf(body));
    try {
      let at = writeLatin1(end, buffer, writePrepared(head, buffer, 0));
      if (withBody) at = writePrepared(body, buffer, at);
      await this.#begin(buffer.subarray(0, at));
    } finally {
      releaseBuffer(buffer);
    }
  }

  /** Writes the first bytes of a reply. */
  async #begin(bytes: Uint8Array): Promise<void> {
    this.begun = true;
    this.deadline.beginBody();
    await this.writeBytes(bytes);
  }

  async #stream(body: ByteSource, framing: ReplyFraming): Promise<void> {
    let left = framing === "length" ? body.length! : Infinity;
    for (let bytes; (bytes = await body.read()) !== null;) {
      left -= bytes.byteLength;
      if (left < 0) throw new Error("the body is longer than announced");
      if (framing === "chunked") await writeChunk(bytes, (framed) => this.writeBytes(framed));
      else await this.writeBytes(bytes);
    }
    if (framing === "length" && left > 0) throw new Error("the body is shorter than announced");
    if (framing === "chunked") await this.writeBytes(lastChunk);
  }
}

function framingLine(framing: ReplyFraming, length: number): string {
  if (framing === "length") return `content-length: ${length}\r\n`;
  return framing === "chunked" ? "transfer-encoding: chunked\r\n" : "";
}

function lengthOf({ before, text, after }: PreparedText): number {
  return before.byteLength + text.length + after.byteLength;
}

/** @returns where it ends in the buffer */
function writePrepared(
  { before, text, after }: PreparedText,
  buffer: Uint8Array,
  at: number,
): number {
  buffer.set(before, at);
  const end = writeLatin1(text, buffer, at + before.byteLength);
  buffer.set(after, end);
  return end + after.byteLength;
}
