import { createDirectHttpClient } from "./direct_http_client.ts";
import type { HeaderLines } from "./headers.ts";
import type { Delivery } from "./reply.ts";
import { Failure } from "../failures.ts";
import { UpstreamFailure } from "./transport.ts";

/** Bytes that may wait for one side of a WebSocket; there is no way to make the other side pause. */
const maxBufferedBytes = 16 * 1024 * 1024;
/** Seconds between pings to the client; one that does not answer the next is closed. */
const pingSeconds = 30;

/** Types of `WebSocket` in Deno, which its library does not name completely yet. */
type OpenWebSocket = new (
  url: string,
  options: { headers: HeaderLines; protocols: string[]; client: Deno.HttpClient },
) => WebSocket;

/** What to open at the backend. */
export interface BackendSocketRequest {
  /** `http:` or `https:`, absolute, with the canonical path and query. */
  readonly url: string;
  /** Made by `backendHeaders`; those of the handshake itself are left to this connection. */
  readonly headers: HeaderLines;
  /** The value of Sec-WebSocket-Protocol, if any. */
  readonly protocols: string | null;
  /** Longest wait for the backend's handshake, ms. */
  readonly connectMs: number;
}

/** Whether a request asks for a WebSocket (RFC 6455, 4.2.1). */
export function isWebSocketUpgrade({ method, headers }: Request): boolean {
  return method === "GET" && headers.get("upgrade")?.toLowerCase() === "websocket";
}

/**
 * Whether the handshake is one that can be answered (RFC 6455, 4.2.1 and 4.1 for sub-protocols).
 * @throws {Failure} `invalid_upgrade`
 */
export function checkHandshake({ headers }: Request): void {
  const connection = (headers.get("connection") ?? "").toLowerCase().split(",");
  const protocols = headers.get("sec-websocket-protocol")?.split(",").map((name) => name.trim());
  const complete = connection.some((token) => token.trim() === "upgrade") &&
    headers.get("sec-websocket-version") === "13" &&
    /^[A-Za-z0-9+/]{22}==$/.test(headers.get("sec-websocket-key") ?? "") &&
    (protocols === undefined || (new Set(protocols).size === protocols.length &&
      protocols.every((name) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name))));
  if (!complete) throw new Failure("invalid_upgrade", "connection, version, key or protocols");
}

/** Opens WebSockets to backends. */
export class WebSocketProxy {
  readonly #client = createDirectHttpClient({});

  /**
   * Connects to the backend, before the client gets its 101: between the two a payment can be
   * settled. What the backend says meanwhile is kept.
   * @throws {UpstreamFailure} when the backend does not accept
   */
  open({ url, headers, protocols, connectMs }: BackendSocketRequest): Promise<BackendSocket> {
    const socket = new (WebSocket as unknown as OpenWebSocket)(url.replace(/^http/, "ws"), {
      headers: headers.filter(([name]) => !name.startsWith("sec-websocket-")),
      protocols: protocols?.split(",").map((name) => name.trim()) ?? [],
      client: this.#client,
    });
    const backend = new BackendSocket(socket);
    const { promise, resolve, reject } = Promise.withResolvers<BackendSocket>();
    const timer = setTimeout(() => {
      reject(new UpstreamFailure("upstream_timeout", "no handshake in time", "maybe"));
      socket.close();
    }, connectMs);
    socket.onopen = () => resolve(backend);
    socket.onerror = (event) => reject(handshakeFailure((event as ErrorEvent).message));
    return promise.finally(() => clearTimeout(timer));
  }

  close(): void {
    this.#client.close();
  }
}

/** A backend connection that waits for its client. */
export class BackendSocket {
  #early: (string | ArrayBuffer)[] = [];
  #earlyBytes = 0;
  readonly #delivery = Promise.withResolvers<Delivery>();

  constructor(private readonly socket: WebSocket) {
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => this.#keep(data);
  }

  /** Whether the client got its 101. */
  get delivery(): Promise<Delivery> {
    return this.#delivery.promise;
  }

  /** Answers the client's handshake and connects both sides until one of them closes. */
  bridge(request: Request): Response {
    try {
      return this.#bridge(Deno.upgradeWebSocket(request, { idleTimeout: pingSeconds }));
    } catch (error) {
      // The client may have left: without it nobody would ever close the backend's side.
      this.close();
      throw error;
    }
  }

  #bridge({ socket: client, response }: Deno.WebSocketUpgrade): Response {
    client.binaryType = "arraybuffer";
    // The option of upgradeWebSocket refuses what the client did not offer; that is for the client.
    if (this.socket.protocol !== "") {
      response.headers.set("sec-websocket-protocol", this.socket.protocol);
    }
    client.onopen = () => {
      this.#delivery.resolve("delivered");
      for (const data of this.#early) forward(data, this.socket, client);
      this.socket.onmessage = ({ data }) => forward(data, this.socket, client);
      closeTogether(this.socket, client);
    };
    client.onmessage = ({ data }) => forward(data, client, this.socket);
    closeTogether(client, this.socket);
    for (const end of ["close", "error"]) {
      client.addEventListener(end, () => this.#delivery.resolve("aborted"));
    }
    return response;
  }

  /** Ends the backend connection when no client is going to be bridged to it. */
  close(): void {
    this.socket.close();
  }

  #keep(data: string | ArrayBuffer): void {
    this.#early.push(data);
    this.#earlyBytes += typeof data === "string" ? data.length : data.byteLength;
    if (this.#earlyBytes > maxBufferedBytes) this.socket.close();
  }
}

function forward(data: string | ArrayBuffer, from: WebSocket, to: WebSocket): void {
  if (to.readyState !== WebSocket.OPEN) return;
  to.send(data);
  if (to.bufferedAmount <= maxBufferedBytes) return;
  shut(from, 1013, "the other side reads too slowly");
  shut(to, 1013, "too slow");
}

/** When one side closes, so does the other, with the same code where it may be sent. */
function closeTogether(from: WebSocket, to: WebSocket): void {
  const close = (event: CloseEvent) => shut(to, event.code, event.reason);
  if (from.readyState === WebSocket.CLOSED) return shut(to, 1011, "the other side is gone");
  from.onclose = close;
  from.onerror = () => shut(to, 1011, "the connection to the other side failed");
}

/** Codes that say how a connection ended and are never sent, and one that Deno mistakes for these. */
const neverSent = new Set([0, 1004, 1005, 1006, 1014, 1015]);

/** Towards a backend only 1000 and 3000 to 4999 may be sent; others become a close without a code. */
function shut(socket: WebSocket, code: number, reason: string): void {
  try {
    if (neverSent.has(code)) socket.close();
    else socket.close(code, reason);
  } catch {
    socket.close();
  }
}

function handshakeFailure(message: string): UpstreamFailure {
  if (/tcp connect error|dns error|tls/i.test(message)) {
    return new UpstreamFailure("upstream_unreachable", message, "no");
  }
  const cut = /connection closed|reset by peer/i.test(message);
  return new UpstreamFailure(cut ? "upstream_reset" : "upstream_invalid", message, "maybe");
}
