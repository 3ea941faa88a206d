import { classifyFetchError } from "../upstream/fetch_error.ts";
import type { FacilitatorAddresses } from "./facilitator_addresses.ts";
import type { FacilitatorCredentials } from "./facilitator_credentials.ts";
import { FacilitatorFailure } from "./facilitator_failure.ts";
import { readCapped } from "./read_capped.ts";

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

/** One exchange with a facilitator: its address is checked, credentials are added, sizes and times are bounded. */
export class FacilitatorHttp {
  /** What changes nothing may be resent on a dead pooled connection. */
  readonly #pooled = Deno.createHttpClient({ http2: false });
  /**
   * fetch resends a POST when a pooled connection turns out to be dead, also after the request was
   * read. A settlement sent twice can move the money with the first copy and report the second's
   * "nonce already used", so settlements get a fresh connection each. It is also what makes a
   * failure to connect a proof: there was no connection before on which the request could have gone.
   */
  readonly #fresh = Deno.createHttpClient({ http2: false, poolMaxIdlePerHost: 0 });

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
    const { method, url, body } = request;
    const headers = await this.#prepare(request, signal);
    const ended = new AbortController();
    const end = () => ended.abort();
    signal.addEventListener("abort", end, { once: true });
    let bodyTimer: ReturnType<typeof setTimeout> | undefined;
    let response: Response | undefined;
    try {
      response = await fetch(url, {
        method,
        headers,
        ...(body !== undefined && { body }),
        client: request.once ? this.#fresh : this.#pooled,
        redirect: "manual",
        signal: ended.signal,
      });
      bodyTimer = setTimeout(end, this.bodyMs);
      const text = await readCapped(response, maxAnswerBytes);
      return { status: response.status, text, ...retryAfterOf(response) };
    } catch (error) {
      if (error instanceof FacilitatorFailure) throw error;
      const phase = response === undefined ? "the head" : "the body";
      if (ended.signal.aborted) throw timeout(`${url}: no end of ${phase} in time`, "maybe", error);
      if (response === undefined) throw unreachable(url, error);
      const detail = `${url}: answer cut off: ${(error as Error).message}`;
      throw new FacilitatorFailure("facilitator_unreachable", detail, "maybe", { cause: error });
    } finally {
      clearTimeout(bodyTimer);
      signal.removeEventListener("abort", end);
    }
  }

  close(): void {
    this.#pooled.close();
    this.#fresh.close();
  }

  /** Whatever fails here, or takes too long, comes before anything is sent. */
  async #prepare({ method, url }: FacilitatorRequest, signal: AbortSignal) {
    const credentials = async () => {
      await this.addresses.check(url);
      return await this.credentials?.headersFor(method, url);
    };
    // A name server can be slower than the call may be.
    const secrets = await Promise.race([credentials(), aborted(signal)]);
    if (signal.aborted) throw timeout(`${url}: not sent in time`, "no");
    const headers: [string, string][] = [["accept", "application/json"]];
    headers.push(...secrets ?? []);
    if (method === "POST") headers.push(["content-type", "application/json"]);
    return headers;
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
  const { detail, sent } = classifyFetchError(error);
  return new FacilitatorFailure("facilitator_unreachable", `${url}: ${detail}`, sent, {
    cause: error,
  });
}

function retryAfterOf({ headers }: Response): { retryAfterSeconds?: number } {
  const seconds = headers.get("retry-after") ?? "";
  if (!/^\d{1,9}$/.test(seconds)) return {};
  return { retryAfterSeconds: Math.min(Math.max(Number(seconds), 1), maxRetryAfter) };
}
