/** For tests: a client, the proxy and a backend on real sockets. */
import { Metrics } from "../../store/metrics.ts";
import type { ClientRequest } from "../front/client_request.ts";
import { FrontRig } from "../front/front_rig.ts";
import type { Delivery, Reply } from "../front/reply.ts";
import { IdleTimer } from "../idle_timer.ts";
import { canonicalRequest } from "../routing/canonical_request.ts";
import { openTransport, type TransportName } from "./conformance/rig.ts";
import { backendHeaders } from "./headers.ts";
import { type ProxyCall, type ProxyLimits, proxyRequest, type ProxySettings } from "./proxy.ts";
import { type Answer, rawBackend, type RawBackendOptions } from "./raw_sockets.ts";
import type { UpstreamTransport } from "./transport.ts";

/** So long that a test in which they pass hangs. */
const defaults: ProxyLimits = {
  connectOrHeadMs: 60_000,
  idleMs: 60_000,
  maxChunkedBodyBytes: 64 * 1024 * 1024,
};

interface Options extends RawBackendOptions {
  readonly limits?: Partial<ProxyLimits>;
  readonly call?: Partial<ProxyCall>;
  readonly transport?: UpstreamTransport;
  readonly name?: TransportName;
}

/** A gateway in front of a raw backend. */
export function proxyTo(answer: Answer, options: Options = {}) {
  const { limits, call, name = "http1", ...backendOptions } = options;
  const backend = rawBackend(answer, backendOptions);
  const transport = options.transport ?? openTransport(name);
  const settings = proxySettings(transport, limits);
  const ended = Promise.withResolvers<Delivery>();
  const front = new FrontRig((request) => {
    const parts = callOf(request, backend.url);
    return proxyRequest(settings, { ...parts, onEnd: ended.resolve, ...call });
  });
  return {
    backend,
    front,
    port: front.server.address.port,
    duration: settings.duration,
    /** What became of the first reply whose end was told. */
    ended: ended.promise,
    async [Symbol.asyncDispose]() {
      await backend[Symbol.asyncDispose]();
      await front[Symbol.asyncDispose]();
      settings.idleTimer.close();
      transport.close();
    },
  };
}

/** Calls the backend without a server, so that the test is the reader of the reply. */
export async function directly(
  request: ClientRequest,
  backendUrl: string,
  limits: Partial<ProxyLimits>,
  test: (reply: Reply) => Promise<void>,
): Promise<void> {
  const transport = openTransport("http1");
  const settings = proxySettings(transport, limits);
  const reply = await proxyRequest(settings, { ...callOf(request, backendUrl), paid: true });
  await test(reply);
  settings.idleTimer.close();
  transport.close();
}

/** Its idle timer has to be closed. */
export function proxySettings(
  transport: UpstreamTransport,
  limits: Partial<ProxyLimits> = {},
): ProxySettings {
  const idleTimer = new IdleTimer(5);
  const { proxyDuration: duration } = new Metrics();
  return { transport, idleTimer, limits: { ...defaults, ...limits }, duration };
}

/** What the gateway makes of a free request. */
export function callOf(request: ClientRequest, backendUrl: string): ProxyCall {
  const target = canonicalRequest(request);
  const peer = { address: request.peer, trusted: false, scheme: "http" } as const;
  const headers = backendHeaders(request.headers, target.authority, peer);
  return { request, target, backendUrl, headers, paid: false };
}

/** Header lines of the client's requests in tests. */
export const close = "Host: h\r\nConnection: close\r\n";
export const get = `GET / HTTP/1.1\r\n${close}\r\n`;
/** Heads of the backend's replies in tests. */
export const chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
export const empty = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
