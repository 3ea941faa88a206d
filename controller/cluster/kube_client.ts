import type { KubeConnection } from "./connection.ts";
import { errorOfResponse, excerpt, KubeError } from "./kube_error.ts";
import { type Method, type RequestKind, requestKind } from "./request_kind.ts";
import { type WatchEvent, watchEvents } from "./watch_stream.ts";

/** Milliseconds from sending a request to having read the whole answer. */
const defaultTimeout = 30_000;

export type Query = Readonly<Record<string, string | number | boolean>>;

export interface RequestOptions {
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Default `application/json`; a PATCH needs its own. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  /** Milliseconds until the answer has to be there, whole; 30,000 unless given. */
  readonly timeoutMs?: number;
}

/** Told once for every request that went out; `status` is 0 when there was no answer. */
export type RequestObserver = (request: RequestKind & { readonly status: number }) => void;

/**
 * Raw JSON to and from the API server, over native fetch.
 *
 * A request may be sent twice: fetch repeats one, whatever its method, whose kept-alive connection
 * was closed before the answer. So every write has to be one that cannot do harm a second time:
 * bound to a resourceVersion, or to a name.
 */
export class KubeClient {
  constructor(
    private readonly connection: KubeConnection,
    /** `NAME/VERSION`, as it shows in the server's audit log. */
    private readonly userAgent: string,
    private readonly observe: RequestObserver = () => {},
  ) {}

  /**
   * @param path of the resource, such as `/api/v1/namespaces/shop/services`, without a query
   * @throws {KubeError} whenever there is no success; the signal's reason when that has aborted
   */
  async request<T>(method: Method, path: string, options: RequestOptions = {}): Promise<T> {
    const { query, body, contentType = "application/json", signal, timeoutMs } = options;
    const init: RequestInit = body === undefined ? { method } : {
      method,
      body: JSON.stringify(body),
      headers: [["content-type", contentType]],
    };
    const text = await withDeadline(`${method} ${path}`, signal, timeoutMs, async (signal) => {
      const response = await this.#send(path, query, { ...init, signal });
      return await response.text();
    });
    try {
      return JSON.parse(text);
    } catch {
      const message = `${method} ${path}: JSON is expected, found: ${excerpt(text)}`;
      throw new KubeError(message, 200, "InvalidResponse");
    }
  }

  /**
   * Opens a watch: resolves once the server has agreed to it, with the events; see `watchEvents`
   * for how they end. The signal is for opening as well.
   *
   * @param path of a list of objects
   * @throws {KubeError} when the server does not agree within 30 s, and from the generator
   */
  async watch(
    path: string,
    query: Query,
    signal: AbortSignal,
  ): Promise<AsyncGenerator<WatchEvent>> {
    const name = `WATCH ${path}`;
    const response = await withDeadline(
      name,
      signal,
      undefined,
      (signal) => this.#send(path, { ...query, watch: true }, { method: "GET", signal }),
    );
    return watchEvents(name, response.body!, signal);
  }

  /** Closes idle connections; requests still in progress fail. */
  close(): void {
    this.connection.client.close();
  }

  /** Resolves with a success; a 401 is tried once more, with credentials that were read anew. */
  async #send(path: string, query: Query = {}, init: RequestInit): Promise<Response> {
    const parameters = new URLSearchParams(Object.entries(query).map(([k, v]) => [k, `${v}`]));
    const url = `${this.connection.server}${path}${parameters.size > 0 ? `?${parameters}` : ""}`;
    const kind = requestKind(init.method as Method, path, query.watch === true);
    for (let attempt = 1;; attempt++) {
      const response = await this.#fetch(url, init, kind);
      if (response.ok) return response;
      const body = await response.text();
      if (response.status !== 401 || attempt > 1) {
        throw errorOfResponse(`${kind.verb.toUpperCase()} ${path}`, response, body);
      }
      this.connection.forgetHeaders();
    }
  }

  async #fetch(url: string, init: RequestInit, kind: RequestKind): Promise<Response> {
    const headers = [
      ...(init.headers as [string, string][] | undefined ?? []),
      ...await this.connection.headers(),
      ["accept", "application/json"],
      ["user-agent", this.userAgent],
    ] as [string, string][];
    let status = 0;
    try {
      const response = await fetch(url, { ...init, headers, client: this.connection.client });
      status = response.status;
      return response;
    } finally {
      this.observe({ ...kind, status });
    }
  }
}

/** Runs with a signal that also aborts when the time is over, and names what failed then. */
async function withDeadline<T>(
  request: string,
  outer: AbortSignal | undefined,
  timeoutMs = defaultTimeout,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  // Not AbortSignal.any and timeout: they cost a timer and a weak reference for each request.
  const abort = new AbortController();
  const stop = () => abort.abort();
  const timer = setTimeout(stop, timeoutMs);
  outer?.addEventListener("abort", stop);
  try {
    outer?.throwIfAborted();
    return await run(abort.signal);
  } catch (error) {
    outer?.throwIfAborted();
    if (error instanceof KubeError) throw error;
    if (abort.signal.aborted) {
      const message = `${request}: the API server did not answer within ${timeoutMs} ms`;
      throw new KubeError(message, 0, "Timeout");
    }
    const { message, cause } = error as Error;
    const reason = cause instanceof Error ? cause.message : message;
    throw new KubeError(`${request}: ${reason}`, 0, "Unreachable", { cause: error });
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener("abort", stop);
  }
}
