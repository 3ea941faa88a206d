import type { DurationHistogram } from "../../store/duration_histogram.ts";
import { Failure } from "../failures.ts";
import type { ClientRequest } from "../front/client_request.ts";
import { type Delivery, Reply } from "../front/reply.ts";
import { type ByteSource, BytesSource } from "../http1/byte_source.ts";
import type { HeaderLine } from "../http1/header_fields.ts";
import type { IdleTimer, Watch } from "../idle_timer.ts";
import type { CanonicalTarget } from "../routing/canonical_request.ts";
import { Abort } from "./abort.ts";
import { clientHeaders } from "./headers.ts";
import {
  isSafe,
  UpstreamFailure,
  type UpstreamReply,
  type UpstreamTransport,
} from "./transport.ts";
import { checkAnnouncedLength, Upload, type UploadLimits } from "./upload.ts";

/** Times in ms, sizes in bytes. There is no limit on how long a body may take as long as it moves. */
export interface ProxyLimits extends UploadLimits {
  /** Longest silence until the head of the reply, counted from the last byte of the upload. */
  readonly connectOrHeadMs: number;
  /** Longest silence of the backend inside a reply body. */
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
  readonly request: ClientRequest;
  readonly target: CanonicalTarget;
  /** Scheme, host and port of the backend, without a trailing slash. */
  readonly backendUrl: string;
  /** Made by `backendHeaders`. */
  readonly headers: readonly HeaderLine[];
  /**
   * It is paid for: the backend must see it at most once, and it goes on when the client leaves before
   * the head, because what it did has to be settled. The caller must use or cancel the body.
   */
  readonly paid: boolean;
  /** What became of the reply. */
  readonly onEnd?: ((outcome: Delivery) => void) | undefined;
  /** The request's body, where it has been read; else it is streamed from the request. */
  readonly body?: Uint8Array<ArrayBuffer> | undefined;
}

/**
 * Passes a request on and resolves with the reply for the client, once its head is there.
 * @throws {Failure} `method_not_supported`, `body_too_large`
 * @throws {UpstreamFailure} when there is no usable reply
 */
export async function proxyRequest(settings: ProxySettings, call: ProxyCall): Promise<Reply> {
  const { transport, idleTimer, limits, duration } = settings;
  const { request, target, paid } = call;
  checkMethod(request.method);
  const start = performance.now();
  const abort = new Abort();
  const upload = openUpload(call, limits, () => watch.touch());
  const watch = idleTimer.watch(
    limits.connectOrHeadMs,
    () => abort.abort(upload?.isAwaited ? clientStalled() : silent("head")),
  );
  if (!paid) request.onGone = () => abort.abort(clientGone());
  const body = call.body === undefined ? upload ?? null : new BytesSource(call.body);
  try {
    const reply = await transport.send({
      method: request.method,
      origin: call.backendUrl,
      target: target.path + target.query,
      headers: call.headers,
      body,
      once: paid || body !== null || !isSafe(request.method),
      abort,
    });
    return toReply(reply, abort, settings, call);
  } catch (error) {
    throw upload?.failure ?? error;
  } finally {
    watch.stop();
    duration.observe(performance.now() - start);
  }
}

/** @throws {Failure} `method_not_supported` for what is no request to a backend, or asks for an echo */
export function checkMethod(method: string): void {
  if (method !== method.toUpperCase() || /^(?:CONNECT|TRACE|TRACK)$/.test(method)) {
    throw new Failure("method_not_supported", "a method that is not passed on");
  }
}

function openUpload(
  { request, body }: ProxyCall,
  limits: ProxyLimits,
  onActivity: () => void,
): Upload | undefined {
  if (request.body === null || body !== undefined) return undefined;
  const limit = checkAnnouncedLength(request.headers, limits);
  return new Upload(request.body, limit, onActivity);
}

/** The reply for the client; its body must be read or cancelled. */
export function toReply(
  { status, headers, body }: UpstreamReply,
  abort: Abort,
  { idleTimer, limits }: ProxySettings,
  { onEnd }: ProxyCall,
): Reply {
  return new Reply({
    // 205 has no length and no chunks, which a client takes for a body that never ends.
    status: status === 205 ? 204 : status,
    headers: clientHeaders(headers),
    body: body && new WatchedBody(body, abort, status, idleTimer, limits.idleMs),
    onEnd,
  });
}

/** The body of a reply, whose backend may not be silent for too long while it is waited for. */
class WatchedBody implements ByteSource {
  readonly length: number | undefined;

  constructor(
    private readonly source: ByteSource,
    private readonly abort: Abort,
    private readonly status: number,
    private readonly idleTimer: IdleTimer,
    private readonly idleMs: number,
  ) {
    this.length = source.length;
  }

  take(): Uint8Array | undefined {
    try {
      return this.source.take();
    } catch (error) {
      const { message } = error as Error;
      throw new UpstreamFailure("upstream_invalid", message, "maybe", { cause: error });
    }
  }

  async read(): Promise<Uint8Array | null> {
    const watch: Watch = this.idleTimer.watch(
      this.idleMs,
      () => this.abort.abort(silent(`body of the ${this.status}`)),
    );
    try {
      return await this.source.read();
    } catch (error) {
      throw this.abort.aborted ? this.abort.reason : error;
    } finally {
      watch.stop();
    }
  }

  cancel(reason: unknown): void {
    this.source.cancel(reason);
  }
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
