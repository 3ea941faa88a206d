/** For tests: a gateway that passes WebSockets on, with a backend that speaks them or bytes. */
import { FrontRig } from "../front/front_rig.ts";
import { openTransport } from "./conformance/rig.ts";
import { Http1Transport } from "./http1_transport.ts";
import { openWebSocket } from "./open_websocket.ts";
import type { ProxyCall, ProxyLimits } from "./proxy.ts";
import { callOf, proxySettings } from "./proxy_rig.ts";

interface Options {
  readonly limits?: Partial<ProxyLimits>;
  readonly call?: Partial<ProxyCall>;
  /** Between the backend's reply and the client's, as for a payment. */
  readonly settle?: () => Promise<void>;
}

export function webSocketGateway(backendUrl: string, { limits, call, settle }: Options = {}) {
  const transport = openTransport("http1") as Http1Transport;
  const settings = proxySettings(transport, limits);
  const front = new FrontRig(async (request) => {
    const parts = callOf(request, backendUrl);
    const reply = await openWebSocket(settings, transport, { ...parts, ...call });
    await settle?.();
    return reply;
  });
  const { port } = front.server.address;
  return {
    front,
    url: `ws://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      await front[Symbol.asyncDispose]();
      settings.idleTimer.close();
      transport.close();
    },
  };
}

/** A backend that speaks WebSocket, and the sub-protocol "b". */
export function socketBackend(onSocket: (socket: WebSocket) => void) {
  const requests: { url: string; headers: Headers }[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    requests.push({ url: request.url, headers: new Headers(request.headers) });
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.binaryType = "arraybuffer";
    response.headers.set("sec-websocket-protocol", "b");
    onSocket(socket);
    return response;
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  return { url, requests, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** Resolves with the next event of that name. */
export function next<Name extends "open" | "message" | "close">(socket: WebSocket, name: Name) {
  const { promise, resolve } = Promise.withResolvers<WebSocketEventMap[Name]>();
  socket.addEventListener(name, resolve as (event: Event) => void, { once: true });
  return promise;
}

export const keyLine = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/** A complete handshake, by the example of RFC 6455, 1.3. */
export const handshake = "GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: WebSocket\r\n" +
  `Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n${keyLine}\r\n`;

/** What a backend answers to it. */
export const accepted = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" +
  "Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
