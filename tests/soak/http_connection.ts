/** An HTTP/1.1 client that shows what came and what did not: it resends, decodes and hides nothing. */
import { pause } from "./pause.ts";

export interface ClientRequest {
  /** GET if not given. */
  readonly method?: string;
  readonly host: string;
  /** Path and query, sent as they are. */
  readonly path: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: Uint8Array;
  /** Sends the body in chunks of this size instead of with a Content-Length. */
  readonly chunkBytes?: number;
  /** Between two chunks. */
  readonly chunkPauseMs?: number;
}

export interface ReplyHead {
  readonly status: number;
  /** Lower-case names; of repeated ones the last. */
  readonly headers: ReadonlyMap<string, string>;
}

/** The connection ended, or spoke no HTTP, before a reply was complete. */
export class BrokenReply extends Error {
  /** @param received bytes of this reply that had come before */
  constructor(message: string, readonly received: number) {
    super(message);
  }
}

const encoder = new TextEncoder();
const latin1 = new TextDecoder("latin1");
const maxHeadBytes = 256 * 1024;

/** One connection, one request at a time. */
export class HttpConnection implements Disposable {
  /** Bytes of the current reply so far. */
  received = 0;
  #pending: Uint8Array = new Uint8Array(0);
  #writing = false;
  #closed = false;
  #reusable = true;
  /** A read that was begun while nothing was asked for: it notices when the server closes. */
  #idleRead: Promise<Uint8Array | undefined> | undefined;

  private constructor(readonly socket: Deno.TcpConn) {}

  static async open(port: number): Promise<HttpConnection> {
    return new HttpConnection(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** Whether another request may be sent: the last reply was whole, and nobody asked to close. */
  get isReusable(): boolean {
    return this.#reusable && !this.#writing && !this.#closed;
  }

  /** Does not wait for the body to be sent: a server may answer before it has read all of it. */
  send(request: ClientRequest): void {
    this.received = 0;
    this.#reusable = false;
    this.#writing = true;
    // What goes wrong while writing shows in the reply, or in the lack of one.
    this.#write(request).then(() => this.#writing = false, () => {});
  }

  /** @throws {BrokenReply} */
  async readHead(): Promise<ReplyHead> {
    for (;;) {
      const [first, ...lines] = (await this.#readBlock()).split("\r\n");
      const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first!)?.[1]);
      if (!(status >= 100)) throw this.#broken(`not a status line: ${first}`);
      if (status < 200 && status !== 101) continue;
      const headers = new Map(lines.map((line): [string, string] => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }));
      return { status, headers };
    }
  }

  /** The body in the pieces in which it comes; a body that ends too early throws. */
  async *readBody({ status, headers }: ReplyHead, method = "GET"): AsyncGenerator<Uint8Array> {
    const length = headers.get("content-length");
    if (method === "HEAD" || status === 204 || status === 304) {
      // No body, whatever its headers say.
    } else if (headers.get("transfer-encoding") === "chunked") {
      yield* this.#readChunks();
    } else if (length !== undefined) {
      yield* this.#readExactly(Number(length));
    } else {
      for (;;) {
        const piece = await this.#take();
        if (piece === undefined) return this.close();
        yield piece;
      }
    }
    this.#reusable = headers.get("connection")?.toLowerCase() !== "close";
    if (this.isReusable && this.#pending.length === 0) this.#watch();
  }

  /** The same in one piece. */
  async readWhole(head: ReplyHead, method = "GET"): Promise<Uint8Array> {
    const pieces = await Array.fromAsync(this.readBody(head, method));
    const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** As every client should: a request on a connection that was closed a while ago is lost. */
  #watch(): void {
    if (this.#idleRead !== undefined) return;
    const reading = this.#read();
    this.#idleRead = reading;
    const ended = () => {
      if (this.#idleRead === reading) this.#reusable = false;
    };
    // Bytes that nobody asked for end it as well.
    reading.then(ended, ended);
  }

  async #write(request: ClientRequest): Promise<void> {
    const { method, host, path, headers = [], body, chunkBytes, chunkPauseMs } = request;
    const lines = [`${method ?? "GET"} ${path} HTTP/1.1`, `host: ${host}`];
    for (const [name, value] of headers) lines.push(`${name}: ${value}`);
    if (chunkBytes !== undefined) lines.push("transfer-encoding: chunked");
    else if (body !== undefined) lines.push(`content-length: ${body.length}`);
    await this.#writeAll(encoder.encode(lines.join("\r\n") + "\r\n\r\n"));
    if (body === undefined) return;
    if (chunkBytes === undefined) return await this.#writeAll(body);
    for (let at = 0; at < body.length; at += chunkBytes) {
      const chunk = body.subarray(at, at + chunkBytes);
      await this.#writeAll(encoder.encode(chunk.length.toString(16) + "\r\n"));
      await this.#writeAll(chunk);
      await this.#writeAll(encoder.encode("\r\n"));
      if (chunkPauseMs !== undefined) await pause(chunkPauseMs);
    }
    await this.#writeAll(encoder.encode("0\r\n\r\n"));
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) sent += await this.socket.write(bytes.subarray(sent));
  }

  async *#readChunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const line = await this.#readUpTo("\r\n");
      const size = /^([0-9a-fA-F]{1,8})(?:;.*)?$/.exec(line)?.[1];
      if (size === undefined) throw this.#broken(`not the size of a chunk: ${line}`);
      if (Number.parseInt(size, 16) === 0) break;
      yield* this.#readExactly(Number.parseInt(size, 16));
      if (await this.#readUpTo("\r\n") !== "") throw this.#broken("a chunk without an end");
    }
    // Trailers, if there are any.
    while (await this.#readUpTo("\r\n") !== "");
  }

  async *#readExactly(length: number): AsyncGenerator<Uint8Array> {
    for (let left = length; left > 0;) {
      const piece = await this.#take();
      if (piece === undefined) throw this.#broken(`the body ended ${left} bytes too early`);
      const part = piece.subarray(0, left);
      this.#pending = piece.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }

  #readBlock(): Promise<string> {
    return this.#readUpTo("\r\n\r\n");
  }

  async #readUpTo(end: string): Promise<string> {
    let taken = new Uint8Array(0);
    for (;;) {
      const piece = await this.#take();
      if (piece === undefined) throw this.#broken("the connection was closed");
      const joined = new Uint8Array(taken.length + piece.length);
      joined.set(taken);
      joined.set(piece, taken.length);
      const at = latin1.decode(joined).indexOf(end);
      if (at >= 0) {
        this.#pending = joined.subarray(at + end.length);
        return latin1.decode(joined.subarray(0, at));
      }
      if (joined.length > maxHeadBytes) throw this.#broken("an endless line");
      taken = joined;
    }
  }

  /** Bytes that are there, or the next ones; undefined at the end. */
  async #take(): Promise<Uint8Array | undefined> {
    if (this.#pending.length > 0) {
      const pending = this.#pending;
      this.#pending = new Uint8Array(0);
      return pending;
    }
    const idleRead = this.#idleRead;
    this.#idleRead = undefined;
    return await (idleRead ?? this.#read());
  }

  async #read(): Promise<Uint8Array | undefined> {
    const buffer = new Uint8Array(16 * 1024);
    try {
      const count = await this.socket.read(buffer);
      if (count === null) return undefined;
      this.received += count;
      return buffer.subarray(0, count);
    } catch (error) {
      throw this.#broken((error as Error).message);
    }
  }

  #broken(message: string): BrokenReply {
    return new BrokenReply(message, this.received);
  }
}
