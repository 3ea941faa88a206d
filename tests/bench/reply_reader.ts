const latin1 = new TextDecoder("latin1");
const headEnd = "\r\n\r\n";

/** Bytes of a head at most. */
const maxHead = 16 * 1024;

/** The end of a chunked body; the bodies that are measured hold no such text themselves. */
const lastChunk = "0\r\n\r\n";

/** How far a reply has come with the bytes just read. */
export type Progress = "head" | "body" | "done";

export interface ExpectedReply {
  readonly status: number;
  /** Of the body; undefined where it may differ. */
  readonly bytes?: number | undefined;
}

/** Bytes of the last whole reply, head included, on any connection of a load. */
export interface SharedLength {
  bytes: number;
}

/** Reads the replies of one connection by status and length alone, which is all that is checked. */
export class ReplyReader {
  /** Bytes that are missing; `NaN` in a chunked body, undefined between replies. */
  #missing: number | undefined;
  /** What has come of an unfinished head, or the last bytes of a chunked body. */
  #rest = "";

  constructor(
    private readonly expected: ExpectedReply,
    private readonly shared: SharedLength,
  ) {}

  get isStream(): boolean {
    return Number.isNaN(this.#missing);
  }

  /** @throws {Error} when the reply is not the expected one */
  read(buffer: Uint8Array, count: number): Progress {
    if (this.#missing === undefined) {
      // Nearly every reply is as long as the one before it and comes in one piece.
      if (this.#rest === "" && count === this.shared.bytes) {
        this.#checkStatus(buffer);
        return "done";
      }
      return this.#readHead(buffer, count);
    }
    return this.isStream ? this.#readChunks(buffer, count) : this.#advance(count);
  }

  #readHead(buffer: Uint8Array, count: number): Progress {
    const known = this.#rest.length;
    const text = this.#rest + latin1.decode(buffer.subarray(0, Math.min(count, maxHead)));
    const end = text.indexOf(headEnd);
    if (end < 0) {
      if (text.length > maxHead) throw new Error(`The head of a reply is too long:\n${text}`);
      this.#rest = text;
      return "head";
    }
    this.#rest = "";
    this.#checkStatus(new TextEncoder().encode(text.slice(0, 12)));
    const body = known + count - end - headEnd.length;
    const head = text.slice(0, end + 2);
    if (/\r\ntransfer-encoding: chunked\r\n/i.test(head)) {
      this.#missing = NaN;
      return body === 0 ? "head" : this.#readChunks(buffer, count);
    }
    const length = /\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1];
    if (length === undefined) throw new Error(`The reply has no length:\n${text}`);
    const { bytes } = this.expected;
    if (bytes !== undefined && Number(length) !== bytes) {
      throw new Error(`A body has ${length} bytes instead of ${bytes}.`);
    }
    if (known === 0 && body === Number(length)) this.shared.bytes = count;
    this.#missing = Number(length);
    return this.#advance(body);
  }

  #advance(count: number): Progress {
    this.#missing! -= count;
    if (this.#missing! > 0) return "body";
    if (this.#missing! < 0) throw new Error(`A reply is ${-this.#missing!} bytes too long.`);
    this.#missing = undefined;
    return "done";
  }

  #readChunks(buffer: Uint8Array, count: number): Progress {
    const last = buffer.subarray(Math.max(0, count - lastChunk.length), count);
    this.#rest = (this.#rest + latin1.decode(last)).slice(-lastChunk.length);
    if (this.#rest !== lastChunk) return "body";
    this.#missing = undefined;
    this.#rest = "";
    return "done";
  }

  #checkStatus(bytes: Uint8Array): void {
    const status = (bytes[9]! - 48) * 100 + (bytes[10]! - 48) * 10 + (bytes[11]! - 48);
    if (status === this.expected.status) return;
    throw new Error(`A reply has status ${status} instead of ${this.expected.status}.`);
  }
}
