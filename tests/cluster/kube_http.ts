import type { ClusterAccess } from "./api_server.ts";

/** What the API server answers instead of success. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(
    readonly status: number,
    /** Such as `NotFound`, `Conflict`, `Invalid`; empty where the answer is no Status object. */
    readonly reason: string,
    message: string,
  ) {
    super(message);
  }
}

export interface RequestOptions {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
}

/** JSON over HTTPS to the API server, as the admin. */
export class KubeHttp implements Disposable {
  readonly #client: Deno.HttpClient;

  constructor(private readonly access: Pick<ClusterAccess, "url" | "caPem" | "adminToken">) {
    this.#client = Deno.createHttpClient({ caCerts: [access.caPem] });
  }

  /** @throws {ApiError} for every answer but 2xx */
  async request<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    const reply = await this.#send(method, path, options);
    return await reply.json() as T;
  }

  /**
   * The JSON documents of an answer that has one per line, as they arrive.
   * @throws {ApiError} for every answer but 2xx
   */
  async *lines<T>(path: string, options: RequestOptions): AsyncGenerator<T> {
    const reply = await this.#send("GET", path, options);
    const decoder = new TextDecoder();
    let rest = "";
    try {
      for await (const bytes of reply.body!) {
        const parts = (rest + decoder.decode(bytes, { stream: true })).split("\n");
        rest = parts.pop()!;
        for (const part of parts) yield JSON.parse(part) as T;
      }
    } finally {
      // Does nothing but keep the Response: once it is collected, Deno 2.9.6 no longer ends the
      // stream when the signal aborts.
      await reply.body?.cancel().catch(() => {});
    }
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }

  async #send(method: string, path: string, options: RequestOptions): Promise<Response> {
    const { query = {}, body, contentType = "application/json", signal } = options;
    const headers = {
      authorization: `Bearer ${this.access.adminToken}`,
      "content-type": contentType,
    };
    const reply = await fetch(`${this.access.url}${path}?${new URLSearchParams(query)}`, {
      method,
      headers,
      client: this.#client,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
    if (reply.ok) return reply;
    throw errorOf(reply.status, `${method} ${path}`, await reply.text());
  }
}

/** A path that is not served (yet), such as that of a fresh CRD, is answered in plain text. */
function errorOf(status: number, what: string, text: string): ApiError {
  if (!text.startsWith("{")) return new ApiError(status, "", `${what}: ${status} ${text.trim()}`);
  const { reason = "", message } = JSON.parse(text);
  return new ApiError(status, reason, `${what}: ${status} ${message}`);
}
