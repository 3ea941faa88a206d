import { type BodyReader, bodyReader } from "../http1/body_reader.ts";
import type { ByteSource } from "../http1/byte_source.ts";
import { persists, replyFraming } from "../http1/framing.ts";
import {
  acquireBuffer,
  lastChunk,
  releaseBuffer,
  writeChunk,
  writeLatin1,
} from "../http1/message_writer.ts";
import { MalformedMessage } from "../http1/malformed_message.ts";
import { parseReplyHead, type ReplyHead } from "../http1/message_head.ts";
import type { ConnectionPool } from "./connection_pool.ts";
import { type UpgradeReply, UpstreamFailure, type UpstreamRequest } from "./transport.ts";
import type { UpstreamConnection } from "./upstream_connection.ts";

/** Of a reply's head, in bytes. */
const maxHeadBytes = 64 * 1024;
/** Interim replies before the final one (RFC 9110, 15.2); more are a backend that plays games. */
const maxInterimReplies = 16;
/** A body up to this many bytes that is there goes out with the head. */
const maxJoinedBytes = 16 * 1024;

/** A connection that was kept alive ended without a byte of a reply. */
export class StaleConnection extends UpstreamFailure {
  constructor(sent: "no" | "maybe", cause: unknown) {
    super("upstream_reset", "the backend closed a kept-alive connection", sent, { cause });
  }
}

/**
 * One request and its reply on one connection, which goes back to the pool when both have ended well
 * and is closed otherwise.
 * @throws {UpstreamFailure}; the abort's reason
 */
export async function exchange(
  connection: UpstreamConnection,
  request: UpstreamRequest,
  pool: ConnectionPool,
  mode: "request" | "upgrade" = "request",
): Promise<UpgradeReply> {
  return await new Http1Exchange(connection, request, pool).run(mode);
}

class Http1Exchange {
  /** Nothing is left to be sent but what is in the hands of the socket. */
  #uploadIsOut = false;
  #uploadEnded = false;
  #replyEnded = false;
  /** Bytes of the request were written, or may have been. */
  #sent: "no" | "maybe" = "no";
  #writeError: unknown;
  #mayPersist = true;
  #replyBody: BodyReader | undefined;

  constructor(
    private readonly connection: UpstreamConnection,
    private readonly request: UpstreamRequest,
    private readonly pool: ConnectionPool,
  ) {}

  async run(mode: "request" | "upgrade"): Promise<UpgradeReply> {
    const { connection, request } = this;
    const { abort } = request;
    const isReused = connection.uses++ > 0;
    abort.onAbort = () => this.#breakOff(abort.reason);
    // The reply may come before all is sent (RFC 9112, 9.3), so neither waits for the other.
    this.#upload().catch((error) => this.#uploadFailed(error));
    let head: ReplyHead;
    try {
      head = await this.#readHead();
      return mode === "upgrade" && head.status === 101 ? this.#upgraded(head) : this.#reply(head);
    } catch (error) {
      // The upload's source may tell it to others: what it is told is what is thrown here.
      const failure = abort.aborted ? abort.reason : this.#failure(error, isReused);
      this.#breakOff(failure);
      throw failure;
    }
  }

  async #readHead(): Promise<ReplyHead> {
    const { reader } = this.connection;
    for (let interim = 0; interim <= maxInterimReplies;) {
      const text = reader.takeHead(maxHeadBytes);
      if (text === undefined) {
        const nothingYet = interim === 0 && reader.available === 0;
        const more = await reader.fill().catch((error) => {
          throw nothingYet ? new NoReply(error) : error;
        });
        if (!more) {
          throw nothingYet ? new NoReply(this.#writeError) : new Error("the head broke off");
        }
        continue;
      }
      const head = parseReplyHead(text);
      if (head.status >= 200 || head.status === 101) return head;
      interim++;
    }
    throw new MalformedMessage(`more than ${maxInterimReplies} interim replies`);
  }

  #reply(head: ReplyHead): UpgradeReply {
    const { status, fields } = head;
    if (status < 200 || status > 599) throw new MalformedMessage(`status ${status}`);
    const framing = replyFraming(head, this.request.method);
    this.#mayPersist &&= persists(fields, head.minorVersion);
    if (framing === 0) {
      this.#endReply(true);
      return { status, headers: fields, body: null };
    }
    const { reader } = this.connection;
    const body = bodyReader(reader, framing, (clean) => this.#endReply(clean));
    this.#replyBody = body;
    return { status, headers: fields, body };
  }

  #upgraded({ status, fields }: ReplyHead): UpgradeReply {
    const { connection, request } = this;
    request.abort.onAbort = undefined;
    const { reader } = connection;
    return {
      status,
      headers: fields,
      body: null,
      upgraded: {
        async read() {
          if (reader.available === 0 && !(await reader.fill())) return null;
          return reader.consume(Infinity);
        },
        write: (bytes) => connection.write(bytes),
        close: () => connection.close(),
      },
    };
  }

  async #upload(): Promise<void> {
    const { method, target, headers, body } = this.request;
    let text = `${method} ${target} HTTP/1.1\r\n`;
    for (const [name, value] of headers) text += `${name}: ${value}\r\n`;
    const isChunked = body !== null && body.length === undefined;
    if (isChunked) text += "transfer-encoding: chunked\r\n";
    else if (body !== null) text += `content-length: ${body.length}\r\n`;
    // Servers expect a length of methods that usually have a body (RFC 9110, 8.6).
    else if (method === "POST" || method === "PUT" || method === "PATCH") {
      text += "content-length: 0\r\n";
    }
    text += "\r\n";
    const here = isChunked || (body?.length ?? Infinity) > maxJoinedBytes
      ? undefined
      : body?.take();
    if (here !== undefined && here.byteLength !== body!.length) throw wrongLength();
    const buffer = acquireBuffer(text.length * 2 + (here?.byteLength ?? 0));
    try {
      let end = writeLatin1(text, buffer, 0);
      if (here !== undefined) {
        buffer.set(here, end);
        end += here.byteLength;
      }
      this.#sent = "maybe";
      this.#uploadIsOut = body === null || here !== undefined;
      await this.connection.write(buffer.subarray(0, end));
    } finally {
      releaseBuffer(buffer);
    }
    if (body !== null && here === undefined) await this.#sendBody(body, isChunked);
    this.#uploadEnded = true;
    this.#settle();
  }

  async #sendBody(body: ByteSource, isChunked: boolean): Promise<void> {
    let left = isChunked ? Infinity : body.length!;
    for (let bytes; (bytes = await body.read()) !== null;) {
      left -= bytes.byteLength;
      // More bytes than announced would be the next request to the backend.
      if (left < 0) throw wrongLength();
      if (!isChunked) await this.connection.write(bytes);
      else await writeChunk(bytes, (framed) => this.connection.write(framed));
    }
    this.#uploadIsOut = true;
    if (isChunked) await this.connection.write(lastChunk);
    else if (left > 0) throw wrongLength();
  }

  /** A backend may answer and close without reading all: its reply counts, if there is one. */
  #uploadFailed(error: unknown): void {
    this.#writeError = error;
    this.#mayPersist = false;
    if (!this.#replyEnded) this.request.body?.cancel(error);
    // Of a body that broke off on the client's side the backend must not see an end.
    if (!isConnectionError(error)) this.#breakOff(error);
    this.#settle();
  }

  #endReply(clean: boolean): void {
    this.#replyEnded = true;
    this.#mayPersist &&= clean;
    this.#settle();
  }

  /** When both directions have ended the connection is free, or of no more use. */
  #settle(): void {
    if (!this.#replyEnded) return;
    if (this.#uploadIsOut && !this.#uploadEnded && this.#mayPersist) return;
    this.request.abort.onAbort = undefined;
    const { connection } = this;
    if (!this.#uploadEnded) this.request.body?.cancel(new Error("the backend has answered"));
    const isSound = this.#uploadEnded && this.#mayPersist && connection.isQuiet;
    if (isSound) this.pool.release(connection);
    else connection.close();
  }

  #breakOff(reason: unknown): void {
    if (!this.#uploadEnded) this.request.body?.cancel(reason);
    // Whoever reads it is told this reason, not that the connection was closed.
    this.#replyBody?.cancel(reason);
    this.connection.close();
  }

  #failure(error: unknown, isReused: boolean): UpstreamFailure {
    if (error instanceof NoReply && isReused) return new StaleConnection(this.#sent, error);
    const { message } = error as Error;
    if (error instanceof MalformedMessage) {
      return new UpstreamFailure("upstream_invalid", message, "maybe", { cause: error });
    }
    return new UpstreamFailure("upstream_reset", message, this.#sent, { cause: error });
  }
}

function wrongLength(): Error {
  return new Error("the request body does not have the length that was announced");
}

/** The connection ended before the first byte of a reply. */
class NoReply extends Error {
  constructor(cause: unknown) {
    super("the connection ended before a reply", { cause });
  }
}

function isConnectionError(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted || error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.Interrupted || error instanceof Deno.errors.BadResource;
}
