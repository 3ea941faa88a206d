import { Failure } from "../failures.ts";
import type { UpgradedConnection } from "../front/upgraded_connection.ts";
import type { ByteSource } from "../http1/byte_source.ts";
import type { HeaderFields, HeaderLine } from "../http1/header_fields.ts";
import type { Abort } from "./abort.ts";

/** One request to a backend, complete: what is given here is what goes on the wire. */
export interface UpstreamRequest {
  readonly method: string;
  /** Scheme, host and port: `http://shop.default.svc:8080`, without a path. */
  readonly origin: string;
  /** Canonical path and query, sent byte for byte. */
  readonly target: string;
  /**
   * In wire order, repeated names allowed, `host` included, hop-by-hop headers and those of the
   * body's framing already removed.
   */
  readonly headers: readonly HeaderLine[];
  readonly body: ByteSource | null;
  /**
   * The backend must see this request at most once, and it should not fail for the sake of a
   * connection: paid, or asking for something to be done. It gets a new one, or one that was in use a
   * moment ago.
   */
  readonly once: boolean;
  readonly abort: Abort;
}

/** Whether a method asks for nothing to be done (RFC 9110, 9.2.1), so that it may be sent again. */
export function isSafe(method: string): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS";
}

/** What a backend answered. */
export interface UpstreamReply {
  readonly status: number;
  readonly headers: HeaderFields;
  /** Null where there is none. Must be read to its end, or cancelled. */
  readonly body: ByteSource | null;
}

/** The answer to a request for another protocol; refused if there is no `upgraded`. */
export interface UpgradeReply extends UpstreamReply {
  readonly upgraded?: UpgradedConnection;
}

/** How requests reach backends. Both implementations pass one suite (`transport_conformance_test.ts`). */
export interface UpstreamTransport {
  /**
   * Sends the request and resolves with the head of the reply; the body streams. Redirects are
   * not followed and bodies are not decoded.
   * @throws {UpstreamFailure} when there is no usable reply; the abort's reason when aborted
   */
  send(request: UpstreamRequest): Promise<UpstreamReply>;
  /** Closes idle connections. */
  close(): void;
}

/** A backend call that failed; `sent` answers whether the backend may have acted on it. */
export class UpstreamFailure extends Failure {
  constructor(
    code:
      | "upstream_unreachable"
      | "upstream_reset"
      | "upstream_invalid"
      | "upstream_timeout"
      | "upstream_busy",
    detail: string,
    /** `no`: provably nothing reached the backend; `maybe`: it may have executed the request. */
    readonly sent: "no" | "maybe",
    options?: ErrorOptions,
  ) {
    super(code, detail, options);
  }
}
