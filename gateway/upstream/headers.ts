import { Failure } from "../failures.ts";

/** Header lines as they go over the wire; names in lower case. */
export type HeaderLines = [name: string, value: string][];

/** Who sent the request, for the `X-Forwarded-*` headers. */
export interface Peer {
  /** IP address. */
  readonly address: string;
  /** It is one of the operator's own proxies: what it says about the client is believed. */
  readonly trusted: boolean;
  /** How the public reaches this host, as far as is known without asking a proxy. */
  readonly scheme: "http" | "https";
}

/** Lines about one connection, not about the message (RFC 9110, 7.6.1); `expect` is answered here. */
const hopByHop = new Set([
  "connection",
  "expect",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Lines that this gateway writes itself, or that are meant for it and not for the backend. */
const ours = new Set(["host", "payment-signature", "x-payment"]);
const identityPrefix = "x-402-";
const forwardedNames = /^(?:forwarded|x-forwarded-.*|x-real-ip)$/;

/**
 * The header lines for the backend: hop-by-hop lines and payments removed, Host as received,
 * `X-Forwarded-*` of strangers replaced. Names are compared with `_` as `-`, because CGI-style
 * backends read `X_402_Payer` and `X-402-Payer` as the same variable.
 * @param identity who paid: `x-402-*` lines that no client can forge
 * @throws {Failure} `invalid_transfer_encoding` for any coding other than chunked
 */
export function backendHeaders(
  headers: Headers,
  authority: string,
  peer: Peer,
  identity: HeaderLines = [],
): HeaderLines {
  checkTransferCoding(headers.get("transfer-encoding"));
  const named = namedBy(headers.get("connection") ?? "");
  const lines: HeaderLines = [["host", authority]];
  for (const line of headers) {
    const name = line[0].includes("_") ? line[0].replaceAll("_", "-") : line[0];
    if (hopByHop.has(name) || ours.has(name) || named?.has(name)) continue;
    if (name.startsWith(identityPrefix) || forwardedNames.test(name)) continue;
    lines.push(line);
  }
  addForwarded(lines, headers, authority, peer);
  lines.push(...identity);
  return lines;
}

/** The header lines for the client: everything except what concerns the backend connection. */
export function clientHeaders(headers: Headers): HeaderLines {
  let connection = "";
  const lines: HeaderLines = [];
  // One pass: each `get` on the headers of a `fetch` reply searches them all.
  for (const line of headers) {
    if (line[0] === "connection") connection = line[1];
    else if (!hopByHop.has(line[0])) lines.push(line);
  }
  const named = namedBy(connection);
  return named === undefined ? lines : lines.filter(([name]) => !named.has(name));
}

/** A proxy that reads other codings than its backend does lets requests be smuggled. */
function checkTransferCoding(coding: string | null): void {
  if (coding === null || coding.toLowerCase() === "chunked") return;
  throw new Failure("invalid_transfer_encoding", `transfer-encoding is ${JSON.stringify(coding)}`);
}

/** Undefined when Connection names nothing but what is removed anyway: the usual case. */
function namedBy(connection: string): Set<string> | undefined {
  if (/^(?:close|keep-alive|)$/i.test(connection)) return undefined;
  return new Set(connection.toLowerCase().split(",").map((name) => name.trim()));
}

function addForwarded(
  lines: HeaderLines,
  headers: Headers,
  authority: string,
  { address, trusted, scheme }: Peer,
): void {
  const before = trusted ? headers.get("x-forwarded-for") : null;
  lines.push(["x-forwarded-for", before === null ? address : `${before}, ${address}`]);
  // TLS ends in front of the gateway, in a proxy that says so if it is trusted.
  if (!trusted || !headers.has("x-forwarded-proto")) lines.push(["x-forwarded-proto", scheme]);
  if (!trusted || !headers.has("x-forwarded-host")) lines.push(["x-forwarded-host", authority]);
  if (!trusted) return;
  for (const line of headers) {
    if (forwardedNames.test(line[0]) && line[0] !== "x-forwarded-for") lines.push(line);
  }
}
