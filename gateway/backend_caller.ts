import { Failure } from "./failures.ts";
import type { Exchange } from "./handler.ts";
import type { BackendReply } from "./payment/purchase.ts";
import type { HeaderLine } from "./payment/receipt.ts";
import { servesTls } from "./routing/public_url.ts";
import type { TrustedProxies } from "./trusted_proxies.ts";
import { backendHeaders, checkTransferCoding } from "./upstream/headers.ts";
import { checkMethod, type ProxyCall, proxyRequest, type ProxySettings } from "./upstream/proxy.ts";
import type { Delivery } from "./upstream/reply.ts";
import { SmallBodies, type SmallBody } from "./upstream/request_body.ts";
import { checkAnnouncedLength } from "./upstream/upload.ts";
import { checkLoop, hopsHeader } from "./upstream/hops.ts";
import {
  type BackendSocket,
  checkHandshake,
  isWebSocketUpgrade,
  type WebSocketProxy,
} from "./upstream/websocket.ts";

/** Calls the backend of an exchange, free of charge or on behalf of a payment. */
export class BackendCaller {
  readonly #bodies = new SmallBodies();

  constructor(
    private readonly settings: ProxySettings,
    private readonly sockets: WebSocketProxy,
    private readonly trustedProxies: TrustedProxies,
  ) {}

  /** The reply of a request that costs nothing; aborted when the client leaves. */
  forward(exchange: Exchange): Promise<Response> {
    const { request } = exchange;
    if (!isWebSocketUpgrade(request)) return this.#proxy(exchange, []);
    return this.#openSocket(exchange, []).then((socket) => socket.bridge(request));
  }

  /**
   * A CORS preflight, which costs nothing and therefore gets nothing: only the headers that a
   * preflight is about reach the backend, and no body comes back from a backend that answers
   * OPTIONS as if it were GET.
   */
  async forwardPreflight(exchange: Exchange): Promise<Response> {
    const { headers, signal } = exchange.request;
    const request = new Request("http://preflight/", {
      method: "OPTIONS",
      headers: [...headers].filter(([name]) => preflightNames.test(name)),
      signal,
    });
    const reply = await this.#proxy({ ...exchange, request }, []);
    await reply.body?.cancel();
    reply.headers.delete("content-length");
    return new Response(null, reply);
  }

  /**
   * Refuses what could not be passed on, before anything is offered or charged for it.
   * @throws {Failure}
   */
  check(exchange: Exchange): void {
    const { request } = exchange;
    backendOf(exchange);
    checkMethod(request.method);
    checkTransferCoding(request.headers.get("transfer-encoding"));
    checkLoop(request.headers.get(hopsHeader));
    checkAnnouncedLength(request, this.settings.limits);
    if (isWebSocketUpgrade(request)) checkHandshake(request);
  }

  /** Address of who sent a request, beyond the proxies that are trusted. */
  clientOf({ request, info }: Exchange): string {
    const forwardedFor = request.headers.get("x-forwarded-for");
    return this.trustedProxies.clientOf(info.remoteAddr.hostname, forwardedFor);
  }

  /** The body of a request that is paid for, if it is small; see `readSmallBody`. */
  readBody({ request }: Exchange): Promise<SmallBody | undefined> {
    const { idleTimer, limits } = this.settings;
    return this.#bodies.read(request, idleTimer, limits.connectOrHeadMs);
  }

  /**
   * Calls the backend once, to its end even when the client leaves: what it did is settled.
   * @param body that of the request, where it has been read
   */
  async callPaid(
    exchange: Exchange,
    identity: HeaderLine[],
    body: SmallBody | undefined,
  ): Promise<BackendReply> {
    const { request } = exchange;
    // It tells of a client that leaves only whoever has asked for it before (measured on Deno 2.9.6).
    const { signal } = request;
    if (isWebSocketUpgrade(request)) {
      const socket = await this.#openSocket(exchange, identity);
      return {
        status: 101,
        delivery: socket.delivery,
        finish(extra) {
          // Of a client that has left, the runtime would never tell.
          if (signal.aborted) {
            socket.close();
            throw new Failure("request_timeout", "the client left before the handshake ended");
          }
          return withHeaders(socket.bridge(request), extra);
        },
        discard: () => Promise.resolve(socket.close()),
      };
    }
    const { promise, resolve } = Promise.withResolvers<Delivery>();
    // The runtime takes a small reply also for a client that has left before.
    const isThere = (outcome: Delivery) => signal.aborted ? "aborted" : outcome;
    const onDone = (outcome: Delivery) => resolve(isThere(outcome));
    const paid = { body: body?.bytes, onDone };
    const response = await this.#proxy(exchange, identity, paid);
    return {
      status: response.status,
      // Of a head alone nothing tells whether it arrives, only whether somebody is there to take it.
      get delivery(): Promise<Delivery> {
        if (response.body !== null) return promise;
        return Promise.resolve(isThere("delivered"));
      },
      finish(extra) {
        privateCache(response.headers);
        return withHeaders(response, extra);
      },
      discard: async () => await response.body?.cancel(),
    };
  }

  #proxy(
    exchange: Exchange,
    identity: HeaderLine[],
    paid?: Pick<ProxyCall, "body" | "onDone">,
  ): Promise<Response> {
    const { request, target } = exchange;
    const backendUrl = backendOf(exchange);
    const headers = this.#headers(exchange, identity);
    const isPaid = paid !== undefined;
    const call = { request, target, backendUrl, headers, once: isPaid, detached: isPaid, ...paid };
    return proxyRequest(this.settings, call);
  }

  #openSocket(exchange: Exchange, identity: HeaderLine[]): Promise<BackendSocket> {
    const { request, target } = exchange;
    checkHandshake(request);
    return this.sockets.open({
      url: backendOf(exchange) + target.path + target.query,
      headers: this.#headers(exchange, identity),
      protocols: request.headers.get("sec-websocket-protocol"),
      connectMs: this.settings.limits.connectOrHeadMs,
    });
  }

  #headers({ request, target, info, match }: Exchange, identity: HeaderLine[]): HeaderLine[] {
    const address = info.remoteAddr.hostname;
    const scheme = servesTls(match.ingress.tlsHosts, target.host) ? "https" : "http";
    const peer = { address, trusted: this.trustedProxies.trusts(address), scheme } as const;
    return backendHeaders(request.headers, target.authority, peer, identity);
  }
}

function backendOf({ match: { backend } }: Exchange): string {
  if ("url" in backend) return backend.url;
  throw new Failure("upstream_unresolved", backend.unresolved);
}

function withHeaders(response: Response, lines: readonly HeaderLine[]): Response {
  // Ours alone: a backend's own receipt would be one too many.
  for (const line of lines) response.headers.set(...line);
  return response;
}

/** What a preflight is about (Fetch standard, section 3.2), who asks, and on which way. */
const preflightNames =
  /^(?:origin|access-control-request-.*|user-agent|x-402-hops|x-forwarded-.*)$/;

/** What one buyer paid for must not be handed to others from a shared cache (RFC 9111, 5.2.2.7). */
function privateCache(headers: Headers): void {
  const directives = (headers.get("cache-control") ?? "").split(",").map((text) => text.trim())
    .filter((text) => text !== "" && !/^(?:public|s-maxage\b.*)$/i.test(text));
  // `private="name"` is about that header only.
  if (directives.some((text) => /^(?:private|no-store)$/i.test(text))) return;
  headers.set("cache-control", ["private", ...directives].join(", "));
}
