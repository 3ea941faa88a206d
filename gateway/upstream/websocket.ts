import { Failure } from "../failures.ts";
import type { ClientRequest } from "../front/client_request.ts";
import type { HeaderLine } from "../http1/header_fields.ts";

/** Whether a request asks for a WebSocket (RFC 6455, 4.2.1). */
export function isWebSocketUpgrade({ method, headers }: ClientRequest): boolean {
  return method === "GET" && headers.get("upgrade")?.toLowerCase() === "websocket";
}

/**
 * Whether the handshake is one that can be answered (RFC 6455, 4.2.1 and 4.1 for sub-protocols).
 * @throws {Failure} `invalid_upgrade`
 */
export function checkHandshake({ headers, body }: ClientRequest): void {
  const connection = (headers.get("connection") ?? "").toLowerCase().split(",");
  const protocols = headers.get("sec-websocket-protocol")?.split(",").map((name) => name.trim());
  const complete = body === null &&
    connection.some((token) => token.trim() === "upgrade") &&
    headers.get("sec-websocket-version") === "13" &&
    /^[A-Za-z0-9+/]{22}==$/.test(headers.get("sec-websocket-key") ?? "") &&
    (protocols === undefined || (new Set(protocols).size === protocols.length &&
      protocols.every((name) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name))));
  if (!complete) throw new Failure("invalid_upgrade", "connection, version, key or protocols");
}

/** The two lines that ask for a WebSocket, or agree to one, on this connection. */
export const upgradeLines: readonly HeaderLine[] = [
  ["connection", "Upgrade"],
  ["upgrade", "websocket"],
];
