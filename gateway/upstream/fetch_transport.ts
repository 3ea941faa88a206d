import { HeaderFields, type HeaderLine } from "../http1/header_fields.ts";
import { createDirectHttpClient, type CreateHttpClient } from "./direct_http_client.ts";
import { classifyFetchError } from "./fetch_error.ts";
import { SizedBody } from "./sized_body.ts";
import { streamOf, StreamSource } from "./stream_source.ts";
import {
  UpstreamFailure,
  type UpstreamReply,
  type UpstreamRequest,
  type UpstreamTransport,
} from "./transport.ts";

/** Methods that may be sent again (RFC 9110, 9.2.2); the ones with bodies never are. */
const idempotent = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);

/** Backend calls through `fetch`, with what it does beyond HTTP switched off. */
export class FetchTransport implements UpstreamTransport {
  /**
   * `fetch` sends a request again when a pooled connection turns out to be dead, and its streamed
   * bodies fail on such a connection; on a new one neither happens.
   */
  readonly #pooled: Deno.HttpClient;
  readonly #fresh: Deno.HttpClient;

  /** @param createClient decides whether the environment's proxies are used */
  constructor(createClient: CreateHttpClient = createDirectHttpClient) {
    this.#pooled = createClient({});
    this.#fresh = createClient({ poolMaxIdlePerHost: 0 });
  }

  async send(request: UpstreamRequest): Promise<UpstreamReply> {
    const { method, body, abort } = request;
    const once = request.once || body !== null || !idempotent.has(method);
    const controller = new AbortController();
    abort.onAbort = (reason) => controller.abort(reason);
    let response: Response;
    try {
      response = await fetch(request.origin + request.target, {
        method,
        headers: wireHeaders(request.headers),
        body: body && streamBody(body),
        redirect: "manual",
        signal: controller.signal,
        client: once ? this.#fresh : this.#pooled,
      });
    } catch (error) {
      throw abort.aborted ? abort.reason : classifyFetchError(error);
    }
    const fault = faultOf(response);
    if (fault === undefined) return toReply(response, controller);
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
function wireHeaders(headers: readonly HeaderLine[]): [string, string][] {
  const wire: [string, string][] = [["accept-encoding", "identity"]];
  let named = false;
  for (const [name, value] of headers) {
    named ||= name === "user-agent";
    wire.push([name, value]);
  }
  if (!named) wire.push(["user-agent", "x402-k8s-operator"]);
  return wire;
}

function streamBody(body: NonNullable<UpstreamRequest["body"]>): BodyInit {
  const stream = streamOf(body);
  return body.length === undefined ? stream : new SizedBody(stream, body.length);
}

function toReply(response: Response, controller: AbortController): UpstreamReply {
  const { status, headers, body } = response;
  const text = headers.get("content-length");
  const length = text === null ? undefined : Number(text);
  return {
    status,
    headers: HeaderFields.of(headers),
    body: body && new StreamSource(response, body, length, controller),
  };
}

/** What `fetch` lets pass although it cannot be handed on. */
function faultOf({ status, headers }: Response): string | undefined {
  // 101 is for upgrades, which take another way; above 599 there is no status.
  if (status < 200 || status > 599) return `status ${status}`;
  const coding = headers.get("transfer-encoding");
  if (coding !== null && coding.toLowerCase() !== "chunked") return `transfer coding ${coding}`;
  // Which of the two counts is what request smuggling is about (RFC 9112, 6.3).
  if (coding !== null && headers.has("content-length")) {
    return "both a length and a transfer coding";
  }
}
