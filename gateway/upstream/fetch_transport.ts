import { createDirectHttpClient } from "./direct_http_client.ts";
import { classifyFetchError } from "./fetch_error.ts";
import { SizedBody } from "./sized_body.ts";
import { UpstreamFailure, type UpstreamRequest, type UpstreamTransport } from "./transport.ts";

/** Backend calls through `fetch`, with what it does beyond HTTP switched off. */
export class FetchTransport implements UpstreamTransport {
  /**
   * `fetch` sends a request again when a pooled connection turns out to be dead, and its streamed
   * bodies fail on such a connection; on a new one neither happens.
   */
  readonly #pooled = createDirectHttpClient({});
  readonly #fresh = createDirectHttpClient({ poolMaxIdlePerHost: 0 });

  async send(request: UpstreamRequest): Promise<Response> {
    const { method, body, signal } = request;
    let response: Response;
    try {
      response = await fetch(request.url, {
        method,
        headers: wireHeaders(request.headers),
        body: sizedBody(request),
        redirect: "manual",
        signal,
        client: request.once || body !== null ? this.#fresh : this.#pooled,
      });
    } catch (error) {
      throw signal.aborted ? signal.reason : classifyFetchError(error);
    }
    const fault = faultOf(response);
    if (fault === undefined) return response;
    response.body?.cancel().catch(() => {});
    throw new UpstreamFailure("upstream_invalid", fault, "maybe");
  }

  close(): void {
    this.#pooled.close();
    this.#fresh.close();
  }
}

/**
 * `fetch` decodes replies unless the first accept-encoding is exactly `identity`; the client's own
 * follows as a second line. It adds headers that are absent: `accept` and `accept-language` mean
 * the same present as absent, but the client must not become `Deno/x.y`.
 */
function wireHeaders(headers: [string, string][]): [string, string][] {
  const wire: [string, string][] = [["accept-encoding", "identity"]];
  let named = false;
  for (const line of headers) {
    named ||= line[0] === "user-agent";
    wire.push(line);
  }
  if (!named) wire.push(["user-agent", "x402-k8s-operator"]);
  return wire;
}

function sizedBody({ headers, body }: UpstreamRequest): BodyInit | null {
  if (body === null) return null;
  const length = headers.find(([name]) => name === "content-length")?.[1];
  const bytes = body as ReadableStream<Uint8Array<ArrayBuffer>>;
  return length === undefined ? bytes : new SizedBody(bytes, Number(length));
}

/** What `fetch` lets pass although it cannot be handed on. */
function faultOf({ status, headers }: Response): string | undefined {
  // 101 is for upgrades, which take another way; `new Response` throws for what is above 599.
  if (status < 200 || status > 599) return `status ${status}`;
  const coding = headers.get("transfer-encoding");
  if (coding !== null && coding.toLowerCase() !== "chunked") return `transfer coding ${coding}`;
  // Which of the two counts is what request smuggling is about (RFC 9112, 6.3).
  if (coding !== null && headers.has("content-length")) {
    return "both a length and a transfer coding";
  }
}
