/** Spellings, hosts, methods and headers: one request each, whose end nobody doubts. */
import { idHeader } from "./flight.ts";
import type { NamedCase } from "./named_cases.ts";

type Row = readonly [name: string, target: string, more?: {
  readonly method?: string;
  readonly lines?: readonly string[];
}];

const atAnyHost = "Host: a.test";

/** Must not reach the backend. */
const refused: readonly Row[] = [
  ["the paid path itself", "/api/exact"],
  ["a trailing slash", "/api/exact/"],
  ["a trailing slash at the Exact path of another Ingress", "/app/exact/", {
    lines: ["Host: named.test"],
  }],
  ["an encoded letter", "/api/%65xact"],
  ["an encoded letter, encoded", "/api/%2565xact"],
  ["an encoded slash", "/api%2fexact"],
  ["an encoded slash, encoded", "/api%252Fexact"],
  ["a backslash", "/api\\exact"],
  ["an encoded backslash", "/api%5cexact"],
  ["two slashes", "/api//exact"],
  ["two slashes in front", "//api/exact"],
  ["a host in front", "//x/api/exact"],
  ["a dot segment", "/api/./exact"],
  ["a way up", "/x/../api/exact"],
  ["an encoded way up", "/x/%2e%2e/api/exact"],
  ["a way up, encoded twice", "/x/%252e%252e/api/exact"],
  ["a way up over an encoded slash", "/x/..%2fapi/exact"],
  ["a way up over an encoded backslash", "/x/..%5capi/exact"],
  ["a way up with parameters (Tomcat)", "/x/..;/api/exact"],
  ["a way up out of what is free", "/api/free/..;/exact"],
  ["a way up out of what is free, encoded", "/api/free/..%2fexact"],
  ["parameters", "/api/exact;jsessionid=1"],
  ["parameters inside", "/api;x=y/exact"],
  ["encoded parameters", "/api/exact%3Bx"],
  ["an empty segment of parameters", "/;x/api/exact"],
  ["an overlong slash", "/api%c0%afexact"],
  ["an overlong way up", "/x/%c0%ae%c0%ae/api/exact"],
  ["an overlong slash of three bytes", "/api%e0%80%afexact"],
  ["an overlong slash, not quite UTF-8", "/api%c0%2fexact"],
  ["a slash of UTF-16", "/api%u002fexact"],
  ["a slash of UTF-16 behind another encoding", "/api%25u002fexact"],
  ["an overlong slash behind another encoding", "/api%25c0%25afexact"],
  ["an overlong way up behind another encoding", "/x/%25c0%25ae%25c0%25ae/api/exact"],
  ["NUL at the end", "/api/exact%00"],
  ["NUL and an extension", "/api/exact%00.html"],
  ["NUL inside", "/api%00/exact"],
  ["NUL, encoded twice", "/api/exact%2500"],
  ["an encoded query", "/api/exact%3fx"],
  ["an encoded fragment", "/api/exact%23x"],
  ["a fragment", "/api/exact#x"],
  ["an encoded line feed", "/api/exact%0a"],
  ["an encoded line end", "/api/exact%0d%0ax"],
  ["an encoded space at the end (Windows)", "/api/exact%20"],
  ["an encoded tab at the end", "/api/exact%09"],
  ["a dot at the end (Windows)", "/api/exact."],
  ["a dot at the end of a folder (Windows)", "/vault./key"],
  ["dots and parameters", "/api/exact..;/"],
  ["an incomplete encoding", "/api/exact%"],
  ["an encoding that is none", "/api/%zzexact"],
  ["a control character", "/api/exact\x01"],
  ["DEL", "/api/exact\x7f"],
  ["a tab", "/api/exact\t"],
  ["a path without its slash", "api/exact"],
  ["a wildcard's segment with an encoded slash", "/api/x%2fone"],
  ["behind two stars", "/q%2fsecret"],
  ["a byte of Latin-1", "/caf\xe9/x"],
  ["characters beyond ASCII as they are", "/caf\xc3\xa9/x"],
  ["a name that a single decoding leaves encoded", "/vault%2f%2570ublic"],
  ["the absolute form", "http://a.test/api/exact"],
  ["the absolute form in capitals", "HTTP://A.TEST/api/exact"],
  ["the absolute form of another host", "http://open.test/api/exact"],
  ["the absolute form with a user", "http://open.test@a.test/api/exact"],
  ["the absolute form without a host", "http:///api/exact"],
  ["the absolute form without a host, two slashes", "http:////api/exact"],
  ["another scheme", "https://a.test/api/exact"],
  ["another scheme for what is free", "https://a.test/docs/x"],
  ["a scheme that is none of HTTP", "file:///api/exact"],
  ["the authority form", "a.test:80"],
  ["an asterisk", "*"],
  ["an asterisk and a path", "*/api/exact"],
  ["two hosts", "/docs/x", { lines: [atAnyHost, "Host: priced.test"] }],
  ["two hosts, the priced one first", "/docs/x", { lines: ["Host: priced.test", atAnyHost] }],
  ["the same host twice", "/docs/x", { lines: [atAnyHost, atAnyHost] }],
  ["no host", "/docs/x", { lines: [] }],
  ["an empty host", "/docs/x", { lines: ["Host:"] }],
  ["a host with a user", "/docs/x", { lines: ["Host: open.test@a.test"] }],
  ["a host with a path", "/docs/x", { lines: ["Host: a.test/../priced.test"] }],
  ["a host with a query", "/docs/x", { lines: ["Host: a.test?x"] }],
  ["a host with a fragment", "/docs/x", { lines: ["Host: a.test#x"] }],
  ["a host with a backslash", "/docs/x", { lines: ["Host: a.test\\x"] }],
  ["two hosts in one line", "/docs/x", { lines: ["Host: a.test, open.test"] }],
  ["a host with an empty label", "/docs/x", { lines: ["Host: a..test"] }],
  ["a host with two ports", "/docs/x", { lines: ["Host: a.test:80:80"] }],
  ["a port that is none", "/docs/x", { lines: ["Host: a.test:65536"] }],
  ["a host with a space before the colon", "/docs/x", { lines: ["Host : a.test"] }],
  ["a folded host", "/docs/x", { lines: [atAnyHost, " .open.test"] }],
  ["a host with a NUL", "/docs/x", { lines: ["Host: a.test\0.open.test"] }],
  ["a priced host in capitals", "/x", { lines: ["Host: PRICED.TEST"] }],
  ["a priced host with the root's dot", "/x", { lines: ["Host: priced.test."] }],
  ["a priced host with a port", "/x", { lines: ["Host: priced.test:1"] }],
  ["a priced wildcard", "/x", { lines: ["Host: x.wild.test"] }],
  ["HEAD", "/api/exact", { method: "HEAD" }],
  ["HEAD where GET costs", "/lists/a", { method: "HEAD" }],
  ["OPTIONS", "/api/exact", { method: "OPTIONS" }],
  ["a preflight without a method", "/api/exact", {
    method: "OPTIONS",
    lines: [atAnyHost, "Origin: https://x.test"],
  }],
  ["a preflight that is GET", "/api/exact", {
    lines: [atAnyHost, "Origin: https://x.test", "Access-Control-Request-Method: GET"],
  }],
  ["a method in lower case", "/api/exact", { method: "get" }],
  ["a method that nobody knows", "/api/exact", { method: "FOO" }],
  ["TRACE", "/docs/x", { method: "TRACE" }],
  ["CONNECT", "/docs/x", { method: "CONNECT" }],
  ["CONNECT to an authority", "a.test:80", { method: "CONNECT" }],
  ["another method by a header", "/forms/a", override("X-HTTP-Method-Override: POST")],
  ["another method by a header, in lower case", "/forms/a", override("X-HTTP-Method: post")],
  ["another method, the first of a list", "/forms/a", override("X-Method-Override: POST, GET")],
  ["another method, the last of a list", "/forms/a", override("X-Method-Override: GET, POST")],
  ["another method on a second line", "/forms/a", {
    lines: [atAnyHost, "X-HTTP-Method-Override: GET", "X-HTTP-Method-Override: POST"],
  }],
  ["another method by a twin", "/forms/a", override("X_HTTP_Method_Override: POST")],
  ["another method by a twin with dots", "/forms/a", override("X.HTTP.Method: POST")],
  ["another method for another reading", "/forms%2fa", override("X-HTTP-Method-Override: POST")],
  ["another method behind a way up", "/x/..;/forms/a", override("X-HTTP-Method: DELETE")],
  ["a condition that a stranger must not decide", "/papers/1", {
    lines: [atAnyHost, "X-Forwarded-For: 10.0.0.1", "X-Real-IP: 10.0.0.1"],
  }],
  ["a condition by a twin", "/papers/1", { lines: [atAnyHost, "X_Plan: gold"] }],
  ["a condition on two lines", "/papers/1", {
    lines: [atAnyHost, "X-Plan: gold", "X-Plan: silver"],
  }],
  ["an invalid rule", "/broken/x"],
  ["an invalid rule, encoded", "/broken%2fx"],
  ["payments that are none", "/api/exact", { lines: [atAnyHost, "X-PAYMENT: e30="] }],
  ["two payments", "/api/exact", {
    lines: [atAnyHost, "X-PAYMENT: e30=", "PAYMENT-SIGNATURE: e30=", "X_Payment: e30="],
  }],
];

/** Must reach the backend; what must not come along is the oracle's to find. */
const passed: readonly Row[] = [
  ["a free path", "/api/free/x"],
  ["a path with spaces and parameters", "/docs/a%20b;c//d"],
  ["a path beyond ASCII", "/docs/%c3%a9"],
  ["a free path, spelled otherwise", "/api/fr%65e/x"],
  ["a paid path in capitals", "/API/EXACT"],
  ["the absolute form", "http://a.test/docs/x"],
  ["a host with a port", "/docs/x", { lines: ["Host: a.test:8402"] }],
  ["a host in capitals", "/x", { lines: ["Host: OPEN.TEST"] }],
  ["forged payers", "/docs/x", {
    lines: [
      atAnyHost,
      "X-402-Payer: forged",
      "X_402_Payer: forged",
      "x.402.payer: forged",
      "x~402~amount: forged",
      "X-402-Anything: forged",
    ],
  }],
  ["forged addresses", "/docs/x", {
    lines: [
      atAnyHost,
      "X-Forwarded-For: forged",
      "X-Forwarded-For: forged",
      "X_Forwarded_Proto: forged",
      "X-Forwarded-Host: forged",
      "X.Real.IP: forged",
      "Forwarded: for=forged",
    ],
  }],
  ["another path by a header", "/docs/x", {
    lines: [atAnyHost, "X-Original-URL: /vault/forged", "X_Rewrite_Url: /vault/forged"],
  }],
  ["payments where nothing costs", "/docs/x", {
    lines: [atAnyHost, "X-PAYMENT: forged", "Payment_Signature: forged"],
  }],
  ["Connection against the gateway's own lines", "/docs/x", {
    lines: [atAnyHost, "Connection: host, x-402-hops, x-forwarded-for, x-own", "X-Own: 1"],
  }],
  ["lines about one connection", "/docs/x", {
    lines: [
      atAnyHost,
      "TE: trailers",
      "Trailer: x-402-payer",
      "Upgrade: h2c",
      "HTTP2-Settings: AAMAAABkAAQ",
      "Keep-Alive: timeout=5",
      "Proxy-Authorization: Basic eA==",
      "Proxy-Connection: keep-alive",
    ],
  }],
  ["a hop that a client counts", "/docs/x", { lines: [atAnyHost, "X-402-Hops: 2"] }],
  ["a hop that is no number", "/docs/x", { lines: [atAnyHost, "X-402-Hops: +1"] }],
  ["bytes beyond ASCII in a value", "/docs/x", { lines: [atAnyHost, "X-Own: \xe4\x80\xff"] }],
  ["a condition that holds", "/papers/1", { lines: [atAnyHost, "X-Plan: gold"] }],
];

function override(line: string): Row[2] & object {
  return { lines: [atAnyHost, line] };
}

export const pathCases: readonly NamedCase[] = [
  ...refused.map((row) => caseOf(row, [])),
  ...passed.map((row) => caseOf(row, [1])),
  {
    name: "passes: a preflight, with nothing else",
    text: (id) =>
      `OPTIONS /api/exact?fz=${id(1)} HTTP/1.1\r\n${atAnyHost}\r\nOrigin: https://${
        id(1)
      }.test\r\n` +
      "Access-Control-Request-Method: GET\r\nAuthorization: Bearer x\r\nCookie: a=b\r\n" +
      "X-HTTP-Method-Override: GET\r\nContent-Length: 3\r\n\r\nabc",
    arrive: [1],
  },
];

function caseOf(
  [name, target, { method = "GET", lines = [atAnyHost] } = {}]: Row,
  arrive: number[],
) {
  return {
    name: `${arrive.length > 0 ? "passes" : "refused"}: ${name}`,
    text: (id: (request: number) => string) => {
      const [path, ...fragment] = target.split("#");
      const whole = [/[/]/.test(target) ? `${path}?fz=${id(1)}` : path, ...fragment].join("#");
      return [`${method} ${whole} HTTP/1.1`, ...lines, `${idHeader}: ${id(1)}`, "", ""].join(
        "\r\n",
      );
    },
    arrive,
  };
}
