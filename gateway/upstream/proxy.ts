import type { DurationHistogram } from "../../store/duration_histogram.ts";
import type { IdleTimer } from "../idle_timer.ts";
import { Failure } from "../failures.ts";
import type { CanonicalTarget } from "../routing/canonical_request.ts";
import type { HeaderLines } from "./headers.ts";
import { type Delivery, type ReplyContext, toReply } from "./reply.ts";
import { UpstreamFailure, type UpstreamTransport } from "./transport.ts";
import { openUpload, type Upload, type UploadLimits } from "./upload.ts";

/** Times in ms, sizes in bytes. There is no limit on how long a body may take as long as it moves. */
export interface ProxyLimits extends UploadLimits {
  /** Longest silence until the head of the reply, counted from the last byte of the upload. */
  readonly connectOrHeadMs: number;
  /** Longest silence inside a reply body; small ones (`small_body.ts`) are not watched. */
  readonly idleMs: number;
}

/** What all calls share. */
export interface ProxySettings {
  readonly transport: UpstreamTransport;
  readonly idleTimer: IdleTimer;
  readonly limits: ProxyLimits;
  /** Of each call until the head of its reply, or its failure. */
  readonly duration: DurationHistogram;
}

/** One request to pass on. */
export interface ProxyCall {
  readonly request: Request;
  readonly target: CanonicalTarget;
  /** Scheme, host and port of the backend, without a trailing slash. */
  readonly backendUrl: string;
  /** Made by `backendHeaders`. */
  readonly headers: HeaderLines;
  /** The backend must see this request at most once, whatever its method. */
  readonly once: boolean;
  /**
   * The call goes on when the client leaves before the head: it is paid for, and what it did has to
   * be settled. The caller must use or cancel the body.
   */
  readonly detached: boolean;
  /** Told for every reply body that is watched: those that are not small, and all detached ones. */
  readonly onDone?: ((outcome: Delivery) => void) | undefined;
  /** The request's body, where it has been read; else it is streamed from the request. */
  readonly body?: Uint8Array<ArrayBuffer> | undefined;
}

/** Methods that may be sent again (RFC 9110, 9.2.2); the ones with bodies never are. */
const idempotent = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);

/**
 * Passes a request on and resolves with the reply for the client, once its head is there.
 * @throws {Failure} `method_not_supported`, `body_too_large`
 * @throws {UpstreamFailure} when there is no usable reply
 */
export async function proxyRequest(settings: ProxySettings, call: ProxyCall): Promise<Response> {
  const { transport, idleTimer, limits, duration } = settings;
  const { request, target, detached } = call;
  const { method } = request;
  checkMethod(method);
  const start = performance.now();
  const abort = new AbortController();
  const upload: Upload = call.body !== undefined
    ? { body: new Blob([call.body]).stream() }
    : openUpload(request, limits, () => watch.touch());
  let watch = idleTimer.watch(
    limits.connectOrHeadMs,
    () => abort.abort(upload.unfinished ? clientStalled() : silent("head")),
    detached ? undefined : () => {
      // A listener on every request's signal costs more than asking the few that are still there.
      if (request.signal.aborted) abort.abort(clientGone());
    },
  );
  try {
    const response = await transport.send({
      method,
      url: call.backendUrl + target.path + target.query,
      headers: call.headers,
      body: upload.body,
      once: call.once || !idempotent.has(method),
      signal: abort.signal,
    });
    watch.stop();
    if (upload.unfinished) {
      // The reply came early: an upload that nobody goes on with must not hold the backend. The
      // signal no longer reaches it, now that the head is in.
      watch = idleTimer.watch(limits.idleMs, () => upload.abandon?.(clientStalled()));
      upload.whenEnded = () => watch.stop();
    }
    return toReply(response, replyContext(settings, call, abort));
  } catch (error) {
    watch.stop();
    throw upload.failure ?? error;
  } finally {
    duration.observe(performance.now() - start);
  }
}

/**
 * `fetch` makes `get` into `GET`, after the rules for GET were not applied to it; it throws for
 * TRACE, and CONNECT is no request to a backend.
 * @throws {Failure} `method_not_supported`
 */
export function checkMethod(method: string): void {
  if (method !== method.toUpperCase() || /^(?:CONNECT|TRACE|TRACK)$/.test(method)) {
    throw new Failure("method_not_supported", `method ${method}`);
  }
}

function replyContext(
  { idleTimer, limits }: ProxySettings,
  { detached, onDone }: ProxyCall,
  abort: AbortController,
): ReplyContext {
  return {
    watched: detached,
    // Once a Response has been collected, its fetch's signal no longer ends the reading of its body
    // (measured, Deno 2.9.6): asking for the reply's status keeps the reply for as long as the watch.
    startWatch: (reply) =>
      idleTimer.watch(limits.idleMs, () => abort.abort(silent(`body of the ${reply.status}`))),
    onDone,
  };
}

function silent(part: string): UpstreamFailure {
  return new UpstreamFailure("upstream_timeout", `no ${part} in time`, "maybe");
}

function clientStalled(): Failure {
  return new Failure("request_timeout", "the client stopped sending its body");
}

function clientGone(): UpstreamFailure {
  return new UpstreamFailure("upstream_reset", "the client left before the reply", "maybe");
}
