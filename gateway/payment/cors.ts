import type { ClientRequest } from "../front/client_request.ts";
import { emptyReply, type Reply } from "../front/reply.ts";
import type { HeaderLine } from "../http1/header_fields.ts";

/** What a browser's script may read of a reply on a paid path. */
const exposed = "PAYMENT-REQUIRED, PAYMENT-RESPONSE, X-PAYMENT-RESPONSE";

/**
 * What a buyer's preflight asks for. `Access-Control-Expose-Headers` is a reply header, but the
 * published buyers send it with the request, so a browser asks for it as well.
 */
const allowed = "PAYMENT-SIGNATURE, X-PAYMENT, Access-Control-Expose-Headers";

/** A CORS preflight: carries no credentials, no body and no payment, and is answered free of charge. */
export function isPreflight(request: ClientRequest): boolean {
  return request.method === "OPTIONS" && request.headers.has("origin") &&
    request.headers.has("access-control-request-method");
}

/** Answers for browsers where the backend does not, for the origins of `--cors`. */
export class Cors {
  readonly #origins: ReadonlySet<string>;

  /** Origins such as `https://shop.example.com`, or `*`; an empty list switches it off. */
  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
  }

  /**
   * The preflight's answer: the backend's own if it gave one, else ours. A backend that knows
   * nothing of payments is helped out by naming the payment headers in its answer, too.
   * @param fromBackend a reply without a body
   */
  preflightReply(request: ClientRequest, fromBackend: Reply): Reply {
    const origin = this.#allowedOrigin(request);
    if (origin === undefined) return fromBackend;
    const { status, headers } = fromBackend;
    if (status >= 200 && status < 300 && headers.has("access-control-allow-origin")) {
      return fromBackend.adding([["access-control-allow-headers", allowed]]);
    }
    const requested = request.headers.get("access-control-request-headers");
    return emptyReply(204, [
      ["access-control-allow-origin", origin],
      ["access-control-allow-methods", request.headers.get("access-control-request-method")!],
      ["access-control-allow-headers", requested ? `${allowed}, ${requested}` : allowed],
      ["access-control-max-age", "600"],
      ["vary", "origin, access-control-request-method, access-control-request-headers"],
    ]);
  }

  /** Lets a browser's script read a reply on a paid path: adds to its headers. */
  expose(request: ClientRequest, reply: Reply): Reply {
    if (!request.headers.has("origin")) return reply;
    const lines: HeaderLine[] = [["access-control-expose-headers", exposed]];
    const origin = this.#allowedOrigin(request);
    if (origin !== undefined && !reply.headers.has("access-control-allow-origin")) {
      lines.push(["access-control-allow-origin", origin], ["vary", "origin"]);
    }
    return reply.adding(lines);
  }

  #allowedOrigin(request: ClientRequest): string | undefined {
    if (this.#origins.has("*")) return "*";
    const origin = request.headers.get("origin");
    return origin !== null && this.#origins.has(origin) ? origin : undefined;
  }
}
