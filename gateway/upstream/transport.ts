import { Failure } from "../failures.ts";

/** One request to a backend, complete: what is given here is what goes on the wire. */
export interface UpstreamRequest {
  readonly method: string;
  /** Absolute; its path and query are the canonical ones and must be sent byte for byte. */
  readonly url: string;
  /** In wire order, repeated names allowed, `host` included, hop-by-hop headers already removed. */
  readonly headers: [string, string][];
  readonly body: ReadableStream<Uint8Array> | null;
  /**
   * The backend must see this request at most once (paid, or not idempotent). Others may be sent
   * again on a connection that turned out to be dead (RFC 9112, section 9.3.1).
   */
  readonly once: boolean;
  readonly signal: AbortSignal;
}

/** How requests reach backends. The one seam to replace when `fetch` is not fast enough. */
export interface UpstreamTransport {
  /**
   * Sends the request and resolves with the head of the reply; the body streams. Redirects are
   * not followed and bodies are not decoded.
   * @throws {UpstreamFailure} when there is no usable reply; the signal's reason when aborted
   */
  send(request: UpstreamRequest): Promise<Response>;
  /** Closes idle connections. */
  close(): void;
}

/** A backend call that failed; `sent` answers whether the backend may have acted on it. */
export class UpstreamFailure extends Failure {
  constructor(
    code: "upstream_unreachable" | "upstream_reset" | "upstream_invalid" | "upstream_timeout",
    detail: string,
    /** `no`: provably nothing reached the backend; `maybe`: it may have executed the request. */
    readonly sent: "no" | "maybe",
    options?: ErrorOptions,
  ) {
    super(code, detail, options);
  }
}
