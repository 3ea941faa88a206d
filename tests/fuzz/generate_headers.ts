/** Hosts, methods and header lines that try to be taken for what they are not. */
import { forged } from "./judge_headers.ts";
import type { Random } from "./random.ts";

const hosts = ["a.test", "open.test", "priced.test", "x.wild.test", "named.test", "two.test"];

export function fuzzHost(random: Random): string {
  const host = random.pick(hosts);
  if (random.chance(0.85)) return host;
  const variants = [`${host}:80`, `${host}:8402`, host.toUpperCase(), `${host}.`, `${host}.:80`];
  return random.pick([...variants, "[::1]", "127.0.0.1", "y.x.wild.test", "wild.test"]);
}

/** The Host lines of a request: nearly always one. */
export function hostLines(random: Random, host: string): string[] {
  if (random.chance(0.96)) return [`Host: ${host}`];
  const other = random.pick(hosts);
  return random.pick([
    [],
    [`Host: ${host}`, `Host: ${other}`],
    [`Host: ${host}`, `host: ${host}`],
    [`Host: ${host}, ${other}`],
    [`Host: ${other}@${host}`],
    [`Host: ${host}/x`],
    [`Host: ${host}/../${other}`],
    [`Host: ${host}?x`],
    [`Host: ${host}#x`],
    [`Host: ${host}:`],
    [`Host: ${host}:99999`],
    [`Host: ${host}:80:80`],
    [`Host: ${host}:-1`],
    [`Host: ${host}..`],
    [`Host: .${host}`],
    [`Host: ${host} ${other}`],
    [`Host: ${host}\\${other}`],
    [`Host:`],
    [`Host : ${host}`],
    [`Host\t: ${host}`],
    [` Host: ${host}`, `Host: ${other}`],
    [`Host: ${host}`, ` ${other}`],
    [`Host: ${host}\0${other}`],
    [`Host: \xe9.test`],
    [`Host: [::1`],
    [`Host_: ${host}`],
    [`Host: ${host}`, `Host_: ${other}`],
  ]);
}

const methods = ["GET", "GET", "GET", "GET", "POST", "POST", "HEAD", "PUT", "DELETE", "PATCH"];
const oddMethods = [
  "OPTIONS",
  "get",
  "Post",
  "TRACE",
  "CONNECT",
  "TRACK",
  "PRI",
  "FOO",
  "G'T",
  "*",
];

export function fuzzMethod(random: Random): string {
  return random.pick(random.chance(0.95) ? methods : oddMethods);
}

const forgeable = [
  ...["X-402-Payer", "X-402-Amount", "X-402-Hops-", "X-402-", "X-402-Transaction", "X-Real-IP"],
  ...["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix"],
  ...["X-Forwarded-Uri", "X-Forwarded-Method", "Forwarded", "X-Original-URL", "X-Rewrite-URL"],
];
const payments = ["X-PAYMENT", "PAYMENT-SIGNATURE", "Payment-Signature", "x-payment"];
const hopByHop = [
  ...["TE: trailers", "Trailer: x-402-payer", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQ"],
  ...["Keep-Alive: timeout=5", "Proxy-Connection: keep-alive", "Proxy-Authorization: Basic eA=="],
  ...["Connection: keep-alive, X-Own", "Connection: x-402-hops, host, x-forwarded-for"],
  ...["Connection: user-agent, cookie", "Connection: close", "Connection: Keep-Alive, X-Plan"],
  ...["Connection: upgrade\r\nUpgrade: websocket", "Connection: ,,x-own ,close"],
  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
];
const overrides = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"];
const overriding = [
  "POST",
  "DELETE",
  "post",
  "GET",
  "POST, GET",
  "GET, POST",
  "HEAD",
  " DELETE ",
  "x",
];
const plain = [
  ...["X-Plan: gold", "X-Plan: silver", "X-Plan: gold\r\nX-Plan: silver", "User-Agent: Firefox"],
  ...["User-Agent: some bot", "Cookie: a=b", "Accept: */*", "X-Own_Name: 1", "X-402-Hops: 2"],
  ...["X-402-Hops: 9", "X-402-Hops: +1", "X-Own: 1", "X-Own:", "Referer: http://a.test/x"],
  ...["X-Wide: \xe4\xf6\xfc", "Accept-Encoding: gzip", "If-None-Match: x", "Range: bytes=0-1"],
  ...["Origin: https://x.test", "Authorization: Bearer x", "Content-Type: text/plain"],
];

/** Header lines besides Host and what frames the body. */
export function fuzzHeaders(random: Random): string[] {
  const lines: string[] = [];
  for (let count = random.below(5); count > 0; count--) {
    const choice = random.below(10);
    if (choice < 3) lines.push(`${twin(random, random.pick(forgeable))}: ${forgedValue(random)}`);
    else if (choice === 3) {
      lines.push(`${twin(random, random.pick(overrides))}: ${random.pick(overriding)}`);
    } else if (choice === 4) lines.push(...paymentLines(random));
    else if (choice === 5) lines.push(random.pick(hopByHop));
    else lines.push(random.pick(plain));
  }
  return lines;
}

/** Nothing else of a preflight may reach the backend, so that its id is in there. */
export function preflightLines(random: Random, id: string): string[] {
  const method = random.pick(["GET", "POST", "DELETE"]);
  return [`Origin: https://${id}.test`, `Access-Control-Request-Method: ${method}`];
}

/** The same name to CGI, sometimes. */
function twin(random: Random, name: string): string {
  if (random.chance(0.5)) return random.chance(0.5) ? name : name.toLowerCase();
  return name.replace(/-/g, () => random.pick(["_", ".", "-", "~", "!", "*", "'"]));
}

function forgedValue(random: Random): string {
  return random.pick([forged, `10.0.0.1, ${forged}`, `/vault/key?${forged}`, `for=${forged}`]);
}

function paymentLines(random: Random): string[] {
  const message = btoa(JSON.stringify({ x402Version: 2, payload: {}, [forged]: 1 }));
  const values = [forged, message, "", "e30=", "%%%"];
  return random.some(payments, 1 + random.below(2))
    .map((name) => `${twin(random, name)}: ${random.pick(values)}`);
}
