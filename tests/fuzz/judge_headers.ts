/** Whether a header reached the backend that only the gateway may write, or nobody. */
import { cgiName } from "./judge_price.ts";
import type { MessageHead } from "./read_head.ts";
import type { ReadMessage } from "./read_stream.ts";

/** In the value of every header that must not arrive from a client. */
export const forged = "forged";

/** Written by the gateway, with exactly this value. */
const written: Readonly<Record<string, (host: string) => string>> = {
  "x-forwarded-for": () => "127.0.0.1",
  "x-forwarded-proto": () => "http",
  "x-forwarded-host": (host) => host,
};

/** For the gateway alone, or about another connection (RFC 9110, 7.6.1), in any spelling. */
const never = new Set([
  ...["payment-signature", "x-payment", "x-original-url", "x-rewrite-url"],
  ...["x-real-ip", "forwarded", "expect", "http2-settings", "keep-alive", "proxy-authenticate"],
  ...["proxy-authorization", "proxy-connection", "te", "trailer", "upgrade"],
]);

/** What is wrong with the header lines of a request; undefined when nothing is. */
export function judgeHeaders(
  arrival: MessageHead,
  sent: ReadMessage | undefined,
): string | undefined {
  const host = arrival.headers.find(([name]) => name === "host")?.[1];
  if (host === undefined) return "no Host";
  for (const [name, value] of arrival.headers) {
    if (value.includes(forged) && !isOwnName(name, value, sent)) {
      return `${name} has the client's value`;
    }
    if (!isHandshake(sent) && never.has(cgiName(name))) return `${name} arrived`;
    const offence = judgeOwn(name, value, host, arrival, sent);
    if (offence !== undefined) return offence;
  }
  const namedHost = sent?.headers.find(([name]) => name === "host")?.[1];
  if (namedHost !== undefined && namedHost !== host) return `Host has become ${host}`;
  return judgeNamed(arrival, sent);
}

/** The client sent it under that very name, which the other rules are about. */
function isOwnName(name: string, value: string, sent: ReadMessage | undefined): boolean {
  return sent?.headers.some(([other, text]) => other === name && text === value) ?? false;
}

function judgeOwn(
  name: string,
  value: string,
  host: string,
  { headers }: MessageHead,
  sent: ReadMessage | undefined,
): string | undefined {
  const cgi = cgiName(name);
  if (cgi.startsWith("x-402-")) {
    if (name !== "x-402-hops") return `${name} arrived`;
    if (value !== nextHop(sent)) return `${name} is ${value}`;
  } else if (cgi.startsWith("x-forwarded-")) {
    const expected = written[name];
    if (expected === undefined) return `${name} arrived`;
    if (value !== expected(host)) return `${name} is ${value}`;
  } else if (!/^(?:host|content-length|transfer-encoding)$/.test(name)) return undefined;
  const lines = headers.filter(([other]) => other === name);
  return lines.length === 1 ? undefined : `${name} arrived ${lines.length} times`;
}

/** Gateways count themselves; what is no number counts as none. */
function nextHop(sent: ReadMessage | undefined): string {
  const values = (sent?.headers ?? []).filter(([name]) => name === "x-402-hops");
  const text = values.map(([, value]) => value).join(", ");
  return String((/^\d{1,9}$/.test(text) ? Number(text) : 0) + 1);
}

const connectionNeeds = /^(?:connection|upgrade|sec-websocket-.*)$/;

/** Connection names what ends here; but for what the gateway writes itself. */
function judgeNamed(arrival: MessageHead, sent: ReadMessage | undefined): string | undefined {
  const named = (sent?.headers ?? []).filter(([name]) => name === "connection")
    .flatMap(([, value]) => value.toLowerCase().split(",")).map((name) => name.trim());
  const own =
    /^(?:host|x-402-hops|x-forwarded-(?:for|proto|host)|connection|content-length|transfer-encoding|user-agent|accept.*)$/;
  for (const [name] of arrival.headers) {
    if (!named.includes(name) || own.test(name)) continue;
    if (isHandshake(sent) && connectionNeeds.test(name)) continue;
    return `${name} arrived although Connection names it`;
  }
  return undefined;
}

/** The gateway makes a WebSocket handshake of its own. */
function isHandshake(sent: ReadMessage | undefined): boolean {
  return sent?.headers.some(([name, value]) =>
    name === "upgrade" && value.toLowerCase() === "websocket"
  ) ?? false;
}

/** What trailers must not carry to a backend that merges them with the headers (RFC 9110, 6.5.1). */
export function judgeTrailers(
  trailers: readonly (readonly [name: string, value: string])[],
): string | undefined {
  for (const [name, value] of trailers) {
    const cgi = cgiName(name);
    const isOurs = never.has(cgi) || /^x-(?:402|forwarded)-/.test(cgi);
    const frames = /^(?:host|content-length|transfer-encoding|connection|authorization)$/.test(cgi);
    if (isOurs || frames || value.includes(forged)) return `the trailer ${name} arrived`;
  }
  return undefined;
}
