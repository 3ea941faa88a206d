import { Failure } from "./failures.ts";
import type { Exchange } from "./handler.ts";
import type { BackendReply } from "./payment/payment_flow.ts";
import type { HeaderLine } from "./payment/receipt.ts";
import type { Metrics } from "../store/metrics.ts";
import { servesTls } from "./routing/public_url.ts";
import type { TrustedProxies } from "./trusted_proxies.ts";
import { backendHeaders } from "./upstream/headers.ts";
import { proxyRequest, type ProxySettings } from "./upstream/proxy.ts";
import {
  type BackendSocket,
  isWebSocketUpgrade,
  type WebSocketProxy,
} from "./upstream/websocket.ts";

/** Calls the backend of an exchange, free of charge or on behalf of a payment. */
export class BackendCaller {
  constructor(
    private readonly settings: ProxySettings,
    private readonly sockets: WebSocketProxy,
    private readonly trustedProxies: TrustedProxies,
    private readonly metrics: Metrics,
  ) {}

  /** The reply of a request that costs nothing; aborted when the client leaves. */
  async forward(exchange: Exchange): Promise<Response> {
    if (isWebSocketUpgrade(exchange.request)) {
      return (await this.#openSocket(exchange, [])).bridge(exchange.request);
    }
    return await this.#proxy(exchange, [], false);
  }

  /** Calls the backend once, to its end even when the client leaves: what it did is settled. */
  async callPaid(exchange: Exchange, identity: HeaderLine[]): Promise<BackendReply> {
    const { request } = exchange;
    if (isWebSocketUpgrade(request)) {
      const socket = await this.#openSocket(exchange, identity);
      return {
        status: 101,
        finish: (extra) => withHeaders(socket.bridge(request), extra),
        discard: () => Promise.resolve(socket.close()),
      };
    }
    const response = await this.#proxy(exchange, identity, true);
    return {
      status: response.status,
      finish(extra) {
        privateCache(response.headers);
        return withHeaders(response, extra);
      },
      discard: async () => await response.body?.cancel(),
    };
  }

  async #proxy(exchange: Exchange, identity: HeaderLine[], paid: boolean): Promise<Response> {
    const { request, target } = exchange;
    const backendUrl = backendOf(exchange);
    const headers = this.#headers(exchange, identity);
    const call = { request, target, backendUrl, headers, once: paid, detached: paid };
    const start = performance.now();
    try {
      return await proxyRequest(this.settings, call);
    } finally {
      this.metrics.proxySeconds.observe((performance.now() - start) / 1000);
    }
  }

  #openSocket(exchange: Exchange, identity: HeaderLine[]): Promise<BackendSocket> {
    const { request, target } = exchange;
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
  for (const line of lines) response.headers.append(...line);
  return response;
}

/** What one buyer paid for must not be handed to others from a shared cache (RFC 9111, 5.2.2.7). */
function privateCache(headers: Headers): void {
  const directives = (headers.get("cache-control") ?? "").split(",").map((text) => text.trim())
    .filter((text) => text !== "" && !/^(?:public|s-maxage\b.*)$/i.test(text));
  if (directives.some((text) => /^(?:private|no-store)\b/i.test(text))) return;
  headers.set("cache-control", ["private", ...directives].join(", "));
}
