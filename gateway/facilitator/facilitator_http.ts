import { BytesSource, readAll } from "../http1/byte_source.ts";
import type { HeaderLine, ReadableFields } from "../http1/header_fields.ts";
import { Abort } from "../upstream/abort.ts";
import { createProxiedHttpClient } from "../upstream/direct_http_client.ts";
import { FetchTransport } from "../upstream/fetch_transport.ts";
import { Http1Transport } from "../upstream/http1_transport.ts";
import { tracing } from "../tracing.ts";
import {
  UpstreamFailure,
  type UpstreamReply,
  type UpstreamTransport,
} from "../upstream/transport.ts";
import { usesEnvironmentProxy } from "./environment_proxy.ts";
import type { FacilitatorAddresses } from "./facilitator_addresses.ts";
import type { FacilitatorCredentials } from "./facilitator_credentials.ts";
import { FacilitatorFailure } from "./facilitator_failure.ts";

export interface FacilitatorRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  /** JSON. */
  readonly body?: string;
  /** It must not reach the facilitator twice. */
  readonly once: boolean;
}

export interface FacilitatorReply {
  readonly status: number;
  readonly text: string;
  /** Seconds after which it wants to be asked again, if it says so in a number. */
  readonly retryAfterSeconds?: number;
}

/** Bytes of a facilitator's answer that are read at most; /supported of the largest has a few KiB. */
const maxAnswerBytes = 64 * 1024;
/** Seconds that a facilitator can keep buyers away by its own word. */
const maxRetryAfter = 120;
/** The calls' own limits are those of the gates; ms, longer than any of them for a connection. */
const connections = {
  maxConnections: 4_096,
  maxWaiting: 0,
  maxIdle: 64,
  idleMs: 20_000,
  onceIdleMs: 1_000,
};
const dialing = { connectMs: 60_000, caCerts: [] };

/** URLs that are known taken apart; authors of X402Routes choose them. */
const maxTargets = 1_000;

const utf8 = new TextEncoder();

/** A URL as a request needs it. */
interface Target {
  readonly origin: string;
  readonly host: string;
  /** Path and query. */
  readonly target: string;
  readonly transport: UpstreamTransport;
}

/** One exchange with a facilitator: its address is checked, credentials are added, sizes and times are bounded. */
export class FacilitatorHttp {
  /**
   * Settlements go with `once`, and are never sent again: the first copy could move the money and the
   * second report "nonce already used". The connection of the verification just before them is used
   * again, which saves a TLS handshake; one that has been idle for longer is not, because its end
   * would leave the settlement in doubt.
   */
  readonly #direct = new Http1Transport(connections, dialing);
  /** Only `fetch` knows the way through the environment's proxies. */
  readonly #proxied = new FetchTransport(createProxiedHttpClient);
  readonly #targets = new Map<string, Target>();

  constructor(
    private readonly addresses: FacilitatorAddresses,
    private readonly credentials: FacilitatorCredentials | undefined,
    /** Ms from the head of an answer to its end: what has been decided only has to be told. */
    private readonly bodyMs: number,
  ) {}

  /**
   * @param signal of the call as a whole
   * @throws {FacilitatorFailure} without a complete answer; one with any status is an answer
   */
  async send(request: FacilitatorRequest, signal: AbortSignal): Promise<FacilitatorReply> {
    const { method, url, body, once } = request;
    const { transport, origin, host, target } = this.#targetOf(url);
    const headers = await this.#prepare(request, host, signal);
    const abort = new Abort();
    const end = () => abort.abort(new Error("its time is up"));
    signal.addEventListener("abort", end, { once: true });
    let bodyTimer: ReturnType<typeof setTimeout> | undefined;
    let reply: UpstreamReply | undefined;
    try {
      reply = await transport.send({
        method,
        origin,
        target,
        headers: tracing === undefined ? headers : tracing.passOn(headers),
        body: body === undefined ? null : new BytesSource(utf8.encode(body)),
        once,
        abort,
      });
      bodyTimer = setTimeout(end, this.bodyMs);
      const text = await readText(reply);
      return { status: reply.status, text, ...retryAfterOf(reply.headers) };
    } catch (error) {
      if (error instanceof FacilitatorFailure) throw error;
      const phase = reply === undefined ? "the head" : "the body";
      if (abort.aborted) throw timeout(`${url}: no end of ${phase} in time`, "maybe", error);
      if (reply === undefined) throw unreachable(url, error);
      const detail = `${url}: answer cut off: ${(error as Error).message}`;
      throw new FacilitatorFailure("facilitator_unreachable", detail, "maybe", { cause: error });
    } finally {
      clearTimeout(bodyTimer);
      signal.removeEventListener("abort", end);
    }
  }

  close(): void {
    this.#direct.close();
    this.#proxied.close();
  }

  #targetOf(url: string): Target {
    const known = this.#targets.get(url);
    if (known !== undefined) return known;
    const parsed = new URL(url);
    const target = {
      origin: parsed.origin,
      host: parsed.host,
      target: parsed.pathname + parsed.search,
      transport: usesEnvironmentProxy(parsed) ? this.#proxied : this.#direct,
    };
    if (this.#targets.size >= maxTargets) this.#targets.clear();
    this.#targets.set(url, target);
    return target;
  }

  /** Whatever fails here, or takes too long, comes before anything is sent. */
  async #prepare(
    { method, url }: FacilitatorRequest,
    host: string,
    signal: AbortSignal,
  ): Promise<HeaderLine[]> {
    const credentials = async () => {
      await this.addresses.check(url);
      return await this.credentials?.headersFor(method, url);
    };
    // A name server can be slower than the call may be.
    const secrets = await Promise.race([credentials(), aborted(signal)]);
    if (signal.aborted) throw timeout(`${url}: not sent in time`, "no");
    const headers: HeaderLine[] = [
      ["host", host],
      ["user-agent", "x402-k8s-operator"],
      ["accept", "application/json"],
      ["accept-encoding", "identity"],
    ];
    for (const [name, value] of secrets ?? []) headers.push([name.toLowerCase(), value]);
    if (method === "POST") headers.push(["content-type", "application/json"]);
    return headers;
  }
}

/** An answer of any length must not become memory. */
async function readText({ body }: UpstreamReply): Promise<string> {
  if (body === null) return "";
  try {
    return new TextDecoder().decode(await readAll(body, maxAnswerBytes));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FacilitatorFailure(
      "facilitator_invalid",
      `more than ${maxAnswerBytes} bytes`,
      "maybe",
    );
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}

function timeout(detail: string, sent: "no" | "maybe", cause?: unknown): FacilitatorFailure {
  return new FacilitatorFailure("facilitator_timeout", detail, sent, { cause });
}

function unreachable(url: string, error: unknown): FacilitatorFailure {
  const { detail, sent } = error instanceof UpstreamFailure
    ? error
    : { detail: String(error), sent: "maybe" as const };
  return new FacilitatorFailure("facilitator_unreachable", `${url}: ${detail}`, sent, {
    cause: error,
  });
}

function retryAfterOf(headers: ReadableFields): { retryAfterSeconds?: number } {
  const seconds = headers.get("retry-after") ?? "";
  if (!/^\d{1,9}$/.test(seconds)) return {};
  return { retryAfterSeconds: Math.min(Math.max(Number(seconds), 1), maxRetryAfter) };
}
