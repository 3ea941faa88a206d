import type { ByteSource } from "../http1/byte_source.ts";
import {
  acquireBuffer,
  chunkOverhead,
  frameChunk,
  lastChunk,
  releaseBuffer,
  writeLatin1,
} from "../http1/head_writer.ts";
import type { Deadline } from "./deadline.ts";
import type { Reply } from "./reply.ts";
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
    const line = connectionLine(persists, http11);
    const { body } = reply;
    if (framing === "none" || body === null || body instanceof Uint8Array) {
      if (body !== null && !(body instanceof Uint8Array)) body.cancel(new Error("no body wanted"));
      const bytes = framing !== "none" && body instanceof Uint8Array ? body : undefined;
      await this.#writeHead(reply, isHead, framing, bytes?.byteLength ?? 0, line, bytes);
      return persists;
    }
    const here = body.take();
    const bytes = framing === "chunked" && here !== undefined ? undefined : here;
    if (here !== undefined && bytes === undefined) {
      // All of a chunked body is there: its length is known now.
      await this.#writeHead(reply, isHead, "length", here.byteLength, line, here);
    } else await this.#writeHead(reply, isHead, framing, body.length ?? 0, line, bytes);
    if (here === undefined) await this.#stream(body, framing);
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
    line: string,
    body: Uint8Array | undefined,
  ): Promise<void> {
    const { encoded } = reply;
    const tail = (reply.headers.has("date") ? "" : dateLine()) + framingLine(framing, length) +
      line + "\r\n";
    const start = encoded === undefined
      ? statusAndFields(reply.status, reply.headers, isHead) + tail
      : tail;
    const joined = body !== undefined && body.byteLength <= maxJoinedBytes ? body : undefined;
    const size = (encoded?.byteLength ?? 0) + start.length * 2 + (joined?.byteLength ?? 0);
    const buffer = acquireBuffer(size);
    try {
      let at = 0;
      if (encoded !== undefined) {
        buffer.set(encoded);
        at = encoded.byteLength;
      }
      at = writeLatin1(start, buffer, at);
      if (joined !== undefined) {
        buffer.set(joined, at);
        at += joined.byteLength;
      }
      // Never bytes of a reader: those fit into its buffer, which is no longer than what is joined.
      const rest = joined === undefined ? body : undefined;
      this.begun = true;
      this.deadline.beginBody();
      await this.writeBytes(buffer.subarray(0, at));
      if (rest !== undefined) await this.writeBytes(rest);
    } finally {
      releaseBuffer(buffer);
    }
  }

  async #stream(body: ByteSource, framing: ReplyFraming): Promise<void> {
    let left = framing === "length" ? body.length! : Infinity;
    for (let bytes; (bytes = await body.read()) !== null;) {
      left -= bytes.byteLength;
      if (left < 0) throw new Error("the body is longer than announced");
      if (framing === "chunked") await this.#writeChunk(bytes);
      else await this.writeBytes(bytes);
    }
    if (framing === "length" && left > 0) throw new Error("the body is shorter than announced");
    if (framing === "chunked") await this.writeBytes(lastChunk);
  }

  async #writeChunk(bytes: Uint8Array): Promise<void> {
    if (bytes.byteLength === 0) return;
    const buffer = acquireBuffer(bytes.byteLength + chunkOverhead);
    try {
      await this.writeBytes(frameChunk(bytes, buffer));
    } finally {
      releaseBuffer(buffer);
    }
  }
}

function framingLine(framing: ReplyFraming, length: number): string {
  if (framing === "length") return `content-length: ${length}\r\n`;
  return framing === "chunked" ? "transfer-encoding: chunked\r\n" : "";
}

function connectionLine(persists: boolean, http11: boolean): string {
  if (!persists) return "connection: close\r\n";
  // A client of HTTP/1.0 asked for it, and waits for the end unless it is told (RFC 9112, 9.3).
  return http11 ? "" : "connection: keep-alive\r\n";
}
