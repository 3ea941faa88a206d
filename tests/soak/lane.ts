import { BrokenReply, type ClientRequest, HttpConnection } from "./http_connection.ts";

/**
 * What a client saw of one request:
 *
 * | outcome | meaning |
 * |---|---|
 * | `200` | that status, the reply is whole |
 * | `503 upstream_timeout` | the same, with the `error` of a failure's JSON |
 * | `refused` | no connection |
 * | `broken` | the connection ended before the head of a reply was whole |
 * | `cut` | it ended, or its framing broke, within the body |
 * | `timeout` | nothing of that in time |
 */
export interface Seen {
  readonly outcome: string;
  /** For people. */
  readonly detail: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
  /** `performance.now()` of its beginning. */
  readonly since: number;
  /** It was sent a second time, see {@link Lane}. */
  readonly retried: boolean;
}

/** Ms that a request may take; far more than any timeout of the gateway in these tests. */
const patienceMs = 20_000;

const nothing = { headers: new Map<string, string>(), body: new Uint8Array(0) };

/**
 * A client with one connection that it keeps alive, and the right of every client: a request may be
 * sent once more on a new connection if it is idempotent, the connection had been used before, and
 * nothing of a reply came (RFC 9112, 9.3.1). Everything else that breaks has failed.
 */
export class Lane implements Disposable {
  #connection: HttpConnection | undefined;

  constructor(readonly port: number) {}

  async send(request: ClientRequest): Promise<Seen> {
    const since = performance.now();
    const kept = !this.isClosed;
    const first = await this.#exchange(request);
    const mayRepeat = kept && first.untouched && isIdempotent(request);
    const { untouched: _, ...seen } = mayRepeat ? await this.#exchange(request) : first;
    return { ...seen, since, retried: mayRepeat };
  }

  /** Whether the next request needs a new connection. */
  get isClosed(): boolean {
    return this.#connection?.isReusable !== true;
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #exchange(request: ClientRequest) {
    let connection: HttpConnection;
    try {
      connection = this.#connection = await this.#connect();
    } catch (error) {
      return { ...nothing, outcome: "refused", detail: String(error), untouched: false };
    }
    let late = false;
    const timer = setTimeout(() => (late = true, connection.close()), patienceMs);
    let status: number | undefined;
    try {
      connection.send(request);
      const head = await connection.readHead();
      status = head.status;
      const body = await connection.readWhole(head, request.method);
      if (!connection.isReusable) this.close();
      const { headers } = head;
      const outcome = describe(status, headers, body);
      return { outcome, detail: "", headers, body, untouched: false };
    } catch (error) {
      this.close();
      if (!(error instanceof BrokenReply)) throw error;
      const detail = `${error.message}, after ${error.received} bytes`;
      const outcome = late ? "timeout" : status === undefined ? "broken" : "cut";
      return { ...nothing, outcome, detail, untouched: !late && error.received === 0 };
    } finally {
      clearTimeout(timer);
    }
  }

  async #connect(): Promise<HttpConnection> {
    if (this.#connection?.isReusable) return this.#connection;
    this.close();
    return await HttpConnection.open(this.port);
  }
}

/** RFC 9110, 9.2.2. A payment makes a request no less idempotent, as it counts once. */
function isIdempotent({ method = "GET" }: ClientRequest): boolean {
  return ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"].includes(method);
}

function describe(
  status: number,
  headers: ReadonlyMap<string, string>,
  body: Uint8Array,
): string {
  const isFailure = status >= 400 && status !== 402 && body.length > 0 &&
    headers.get("content-type") === "application/json";
  if (!isFailure) return String(status);
  try {
    return `${status} ${JSON.parse(new TextDecoder().decode(body)).error}`;
  } catch {
    return `${status} not JSON`;
  }
}
