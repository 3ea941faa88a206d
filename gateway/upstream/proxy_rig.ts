/** For tests: a client, the proxy and a backend on real sockets. */
import { Metrics } from "../../store/metrics.ts";
import { IdleTimer } from "../idle_timer.ts";
import { Failure } from "../failures.ts";
import { canonicalRequest } from "../routing/canonical_request.ts";
import { FetchTransport } from "./fetch_transport.ts";
import { backendHeaders } from "./headers.ts";
import { type ProxyCall, type ProxyLimits, proxyRequest } from "./proxy.ts";
import { type Answer, rawBackend } from "./raw_sockets.ts";

/** So long that a test in which they pass hangs. */
export const defaults: ProxyLimits = {
  connectOrHeadMs: 60_000,
  idleMs: 60_000,
  maxChunkedBodyBytes: 64 * 1024 * 1024,
};

interface Options {
  readonly limits?: Partial<ProxyLimits>;
  readonly call?: Partial<ProxyCall>;
}

/** A gateway in front of a raw backend; failures are answered with their code. */
export function proxyTo(answer: Answer, { limits, call }: Options = {}) {
  const backend = rawBackend(answer);
  const transport = new FetchTransport();
  const idleTimer = new IdleTimer(10);
  const { proxyDuration: duration } = new Metrics();
  const settings = { transport, idleTimer, limits: { ...defaults, ...limits }, duration };
  const ended = Promise.withResolvers<"delivered" | "aborted">();
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request, info) => {
      const target = canonicalRequest(request);
      const peer = { address: info.remoteAddr.hostname, trusted: false, scheme: "http" } as const;
      const headers = backendHeaders(request.headers, target.authority, peer);
      const common = {
        request,
        target,
        headers,
        info,
        backendUrl: backend.url,
        onDone: ended.resolve,
      };
      try {
        return await proxyRequest(settings, { ...common, once: false, detached: false, ...call });
      } catch (error) {
        const { code, status } = Failure.from(error);
        return new Response(code, { status });
      }
    },
  );
  return {
    backend,
    port: server.addr.port,
    ended: ended.promise,
    async [Symbol.asyncDispose]() {
      await backend[Symbol.asyncDispose]();
      await server.shutdown();
      idleTimer.close();
      transport.close();
    },
  };
}

/** Header lines of the client's requests in tests. */
export const close = "Host: h\r\nConnection: close\r\n";
export const get = `GET / HTTP/1.1\r\n${close}\r\n`;
/** Heads of the backend's replies in tests. */
export const chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
export const empty = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
