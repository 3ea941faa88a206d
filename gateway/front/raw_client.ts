/** For tests: a client that sends what it is told and takes replies apart by their framing. */
import { bytes, latin1 } from "../upstream/raw_sockets.ts";

/** A reply as it came, one character a byte. */
export interface RawReply {
  readonly status: number;
  /** Status line and header lines, with the empty line. */
  readonly head: string;
  readonly body: string;
}

export class RawClient implements Disposable {
  #text = "";
  readonly #buffer = new Uint8Array(64 * 1024);

  private constructor(readonly connection: Deno.TcpConn) {}

  static async connect(port: number): Promise<RawClient> {
    return new RawClient(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** Sends the text, one byte a character, even where that takes many writes. */
  async send(text: string): Promise<void> {
    for (let rest = bytes(text); rest.byteLength > 0;) {
      rest = rest.subarray(await this.connection.write(rest));
    }
  }

  /**
   * The next reply; interim ones count as replies, too.
   * @param method of the request: replies to HEAD have no body
   * @throws {Error} when the connection ends before the reply does
   */
  async reply(method = "GET"): Promise<RawReply> {
    const head = await this.#until("\r\n\r\n");
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
    const hasBody = method !== "HEAD" && status >= 200 && status !== 204 && status !== 304;
    const length = /^content-length: (\d+)\r$/im.exec(head)?.[1];
    if (!hasBody) return { status, head, body: "" };
    if (length !== undefined) return { status, head, body: await this.#take(Number(length)) };
    if (/^transfer-encoding: chunked\r$/im.test(head)) {
      return { status, head, body: await this.#chunks() };
    }
    return { status, head, body: await this.rest() };
  }

  /** Everything that still comes; ends with `<reset>` if the connection broke. */
  async rest(): Promise<string> {
    let end = "";
    try {
      while (await this.#more());
    } catch {
      end = "<reset>";
    }
    const text = this.#text;
    this.#text = "";
    return text + end;
  }

  /** Sends no more, and still reads. */
  async closeWrite(): Promise<void> {
    await this.connection.closeWrite();
  }

  [Symbol.dispose](): void {
    try {
      this.connection.close();
    } catch {
      // closed by a test
    }
  }

  async #chunks(): Promise<string> {
    let body = "";
    for (;;) {
      const size = parseInt(await this.#until("\r\n"), 16);
      body += await this.#take(size);
      await this.#until("\r\n");
      if (size === 0) return body;
    }
  }

  async #until(end: string): Promise<string> {
    for (;;) {
      const at = this.#text.indexOf(end);
      if (at >= 0) return await this.#take(at + end.length);
      await this.#need();
    }
  }

  async #take(count: number): Promise<string> {
    while (this.#text.length < count) await this.#need();
    const taken = this.#text.slice(0, count);
    this.#text = this.#text.slice(count);
    return taken;
  }

  async #need(): Promise<void> {
    if (!(await this.#more())) throw new Error(`the connection ended after ${this.#text}`);
  }

  async #more(): Promise<boolean> {
    const count = await this.connection.read(this.#buffer);
    if (count === null) return false;
    this.#text += latin1(this.#buffer.subarray(0, count));
    return true;
  }
}
