import { Failure } from "./failures.ts";
import { ClientRequest } from "./front/client_request.ts";
import { type Delivery, isSource, type Reply } from "./front/reply.ts";
import type { Exchange } from "./handler.ts";
import { HeaderFields, type HeaderLine } from "./http1/header_fields.ts";
import type { BackendReply } from "./payment/purchase.ts";
import { servesTls } from "./routing/public_url.ts";
import { upstreamFields } from "./span_fields.ts";
import { traced, tracing } from "./tracing.ts";
import type { TrustedProxies } from "./trusted_proxies.ts";
import { backendHeaders } from "./upstream/headers.ts";
import { checkLoop, hopsHeader } from "./upstream/hops.ts";
import type { Http1Transport } from "./upstream/http1_transport.ts";
import { checkMethod, type ProxyCall, proxyRequest, type ProxySettings } from "./upstream/proxy.ts";
import { SmallBodies, type SmallBody } from "./upstream/request_body.ts";
import { checkAnnouncedLength } from "./upstream/upload.ts";
import { openWebSocket } from "./upstream/open_websocket.ts";
import { checkHandshake, isWebSocketUpgrade } from "./upstream/websocket.ts";

/** Calls the backend of an exchange, free of charge or on behalf of a payment. */
export class BackendCaller {
  readonly #bodies = new SmallBodies();

  /** @param upgrades opens WebSockets, whatever transport other requests take */
  constructor(
    private readonly settings: ProxySettings,
    private readonly upgrades: Pick<Http1Transport, "upgrade">,
    private readonly trustedProxies: TrustedProxies,
  ) {}

  /** The reply of a request that costs nothing; aborted when the client leaves. */
  forward(exchange: Exchange): Promise<Reply> {
    return this.#call(exchange, []);
  }

  /**
   * A CORS preflight, which costs nothing and therefore gets nothing: only the headers that a
   * preflight is about reach the backend, and no body comes back from a backend that answers
   * OPTIONS as if it were GET.
   */
  async forwardPreflight(exchange: Exchange): Promise<Reply> {
    const { headers, target, peer } = exchange.request;
    const fields = HeaderFields.of([...headers].filter(([name]) => preflightNames.test(name)));
    const head = { method: "OPTIONS", target, minorVersion: 1, fields } as const;
    const request = new ClientRequest(head, null, peer);
    exchange.request.onGone = () => request.markGone();
    const reply = await this.#call({ ...exchange, request }, []);
    discardBody(reply);
    return reply.withBody(null);
  }

  /**
   * Refuses what could not be passed on, before anything is offered or charged for it.
   * @throws {Failure}
   */
  check(exchange: Exchange): void {
    const { request } = exchange;
    backendOf(exchange);
    checkMethod(request.method);
    checkLoop(request.headers.get(hopsHeader));
    if (request.body !== null) checkAnnouncedLength(request.headers, this.settings.limits);
    if (isWebSocketUpgrade(request)) checkHandshake(request);
  }

  /** Address of who sent a request, beyond the proxies that are trusted. */
  clientOf({ request }: Exchange): string {
    return this.trustedProxies.clientOf(request.peer, request.headers.get("x-forwarded-for"));
  }

  /** The body of a request that is paid for, if it is small; see `SmallBodies`. */
  readBody({ request }: Exchange): Promise<SmallBody | undefined> {
    const { idleTimer, limits } = this.settings;
    return this.#bodies.read(request.body, idleTimer, limits.connectOrHeadMs);
  }

  /**
   * Calls the backend once, to its end even when the client leaves: what it did is settled.
   * @param body that of the request, where it has been read
   */
  async callPaid(
    exchange: Exchange,
    identity: readonly HeaderLine[],
    body: SmallBody | undefined,
  ): Promise<BackendReply> {
    const { promise: delivery, resolve: onEnd } = Promise.withResolvers<Delivery>();
    const reply = await this.#call(exchange, identity, { body: body?.bytes, onEnd });
    return {
      status: reply.status,
      delivery,
      finish: (extra) => reply.setting([privateCache(reply.headers), ...extra]),
      discard: () => discardBody(reply),
    };
  }

  #call(
    exchange: Exchange,
    identity: readonly HeaderLine[],
    paid?: Pick<ProxyCall, "body" | "onEnd">,
  ): Promise<Reply> {
    const { request, target } = exchange;
    const backendUrl = backendOf(exchange);
    const headers = this.#headers(exchange, identity);
    const send = () => {
      const lines = tracing === undefined ? headers : tracing.passOn(headers);
      const isPaid = paid !== undefined;
      const call: ProxyCall = {
        request,
        target,
        backendUrl,
        headers: lines,
        paid: isPaid,
        ...paid,
      };
      return isWebSocketUpgrade(request)
        ? openWebSocket(this.settings, this.upgrades, call)
        : proxyRequest(this.settings, call);
    };
    return traced("upstream", send, (reply) => upstreamFields(reply, backendUrl));
  }

  #headers({ request, target, match }: Exchange, identity: readonly HeaderLine[]): HeaderLine[] {
    const { peer: address, headers } = request;
    const scheme = servesTls(match.ingress.tlsHosts, target.host) ? "https" : "http";
    const peer = { address, trusted: this.trustedProxies.trusts(address), scheme } as const;
    return backendHeaders(headers, target.authority, peer, identity);
  }
}

function backendOf({ match: { backend } }: Exchange): string {
  if ("url" in backend) return backend.url;
  throw new Failure("upstream_unresolved", backend.unresolved);
}

function discardBody({ body, upgraded }: Reply): void {
  upgraded?.close();
  if (isSource(body)) body.cancel(new Error("nobody wants it"));
}

/** What a preflight is about (Fetch standard, section 3.2), who asks, and on which way. */
const preflightNames =
  /^(?:origin|access-control-request-.*|user-agent|x-402-hops|x-forwarded-.*)$/;

/** What one buyer paid for must not be handed to others from a shared cache (RFC 9111, 5.2.2.7). */
function privateCache(headers: HeaderFields): HeaderLine {
  const directives = (headers.get("cache-control") ?? "").split(",").map((text) => text.trim())
    .filter((text) => text !== "" && !/^(?:public|s-maxage\b.*)$/i.test(text));
  // `private="name"` is about that header only.
  const isPrivate = directives.some((text) => /^(?:private|no-store)$/i.test(text));
  return ["cache-control", (isPrivate ? directives : ["private", ...directives]).join(", ")];
}
