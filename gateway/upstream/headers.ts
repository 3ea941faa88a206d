import { Failure } from "../failures.ts";
import { HeaderFields, type HeaderLine, type ReadableFields } from "../http1/header_fields.ts";
import { checkLoop, hopsHeader, nextHop } from "./hops.ts";

/** Who sent the request, for the `X-Forwarded-*` headers. */
export interface Peer {
  /** IP address. */
  readonly address: string;
  /** It is one of the operator's own proxies: what it says about the client is believed. */
  readonly trusted: boolean;
  /** How the public reaches this host, as far as is known without asking a proxy. */
  readonly scheme: "http" | "https";
}

/**
 * Lines about one connection, not about the message (RFC 9110, 7.6.1); `expect` is answered here, and
 * each connection has its own framing of the body.
 */
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
const framing = "content-length";

/** Lines that this gateway writes itself, or that are meant for it and not for the backend. */
const ours = new Set([
  "host",
  "payment-signature",
  "x-payment",
  // Ask for another path than the one that was matched; some frameworks obey.
  "x-original-url",
  "x-rewrite-url",
]);
const twin = /[^a-z0-9-]/;
const identityPrefix = "x-402-";
/** Headers that say where a request comes from; only a trusted proxy may set them. */
export const forwardedNames = /^(?:forwarded|x-forwarded-.*|x-real-ip)$/;

/**
 * The header lines for the backend: hop-by-hop lines and payments removed, Host as received,
 * `X-Forwarded-*` of strangers replaced, the gateways counted. Names are compared with every other
 * character as `-`, because CGI-style backends read `X_402_Payer`, `X.402.Payer` and `X-402-Payer` as one variable.
 * @param identity who paid: `x-402-*` lines that no client can forge
 * @throws {Failure} `invalid_transfer_encoding` for any coding other than chunked; `loop_detected`
 */
export function backendHeaders(
  headers: ReadableFields,
  authority: string,
  peer: Peer,
  identity: readonly HeaderLine[] = [],
): HeaderLine[] {
  checkTransferCoding(headers.get("transfer-encoding"));
  const named = namedBy(headers.get("connection") ?? "");
  const hops = headers.get(hopsHeader);
  checkLoop(hops);
  const lines: HeaderLine[] = [["host", authority], [hopsHeader, nextHop(hops)]];
  headers.forEach((value, received) => {
    const name = twin.test(received) ? received.replace(/[^a-z0-9]/g, "-") : received;
    if (name === framing || hopByHop.has(name) || ours.has(name) || named?.has(name)) return;
    if (name.startsWith(identityPrefix) || forwardedNames.test(name)) return;
    lines.push([received, value]);
  });
  addForwarded(lines, headers, authority, peer);
  lines.push(...identity);
  return lines;
}

/** The header lines for the client: everything except what concerns the backend connection. */
export function clientHeaders(headers: ReadableFields): HeaderFields {
  const named = namedBy(headers.get("connection") ?? "");
  const kept = new HeaderFields();
  headers.forEach((value, name) => {
    if (!hopByHop.has(name) && !named?.has(name)) kept.append(name, value);
  });
  return kept;
}

/** A proxy that reads other codings than its backend does lets requests be smuggled. */
export function checkTransferCoding(coding: string | null): void {
  if (coding === null || coding.toLowerCase() === "chunked") return;
  throw new Failure("invalid_transfer_encoding", `transfer-encoding is ${JSON.stringify(coding)}`);
}

/** Undefined when Connection names nothing but what is removed anyway: the usual case. */
function namedBy(connection: string): Set<string> | undefined {
  if (/^(?:close|keep-alive|)$/i.test(connection)) return undefined;
  return new Set(connection.toLowerCase().split(",").map((name) => name.trim()));
}

function addForwarded(
  lines: HeaderLine[],
  headers: ReadableFields,
  authority: string,
  { address, trusted, scheme }: Peer,
): void {
  const before = trusted ? headers.get("x-forwarded-for") : null;
  lines.push(["x-forwarded-for", before === null ? address : `${before}, ${address}`]);
  // TLS ends in front of the gateway, in a proxy that says so if it is trusted.
  if (!trusted || !headers.has("x-forwarded-proto")) lines.push(["x-forwarded-proto", scheme]);
  if (!trusted || !headers.has("x-forwarded-host")) lines.push(["x-forwarded-host", authority]);
  if (!trusted) return;
  headers.forEach((value, name) => {
    if (forwardedNames.test(name) && name !== "x-forwarded-for") lines.push([name, value]);
  });
}
