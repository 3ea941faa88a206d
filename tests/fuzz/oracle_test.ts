/** The oracle has to know what is wrong when it sees it: each of its rules, on what breaks it. */
import assert from "node:assert/strict";
import { Flight, idHeader, requestId } from "./flight.ts";
import { generateFlight, isClean } from "./generate_flight.ts";
import { parserHabits, strictHabits } from "./habits.ts";
import { Judge } from "./judge.ts";
import { namedCases } from "./named_cases.ts";
import { priceOf } from "./reference_prices.ts";
import { asHandedOn, readPath } from "./reference_paths.ts";
import { readReplies } from "./read_reply.ts";
import { readStream } from "./read_stream.ts";

Deno.test("paths are read as servers read them", () => {
  const readings: [target: string, reading: string][] = [
    ["/a%2fb?c", "/a/b"],
    ["/a%252fb", "/a/b"],
    ["/x/..;/a", "/a"],
    ["/x/%252e%252e/a", "/a"],
    ["/x%2f..%5ca", "/a"],
    ["//h/a", "/a"],
    ["http://h/a", "/a"],
    ["/a%3fb", "/a"],
    ["/a%00.html", "/a"],
    ["/a%c0%afb", "/a/b"],
    ["/x/%c0%ae%c0%ae/a", "/a"],
    ["/a%e0%80%afb", "/a/b"],
    ["/a%20", "/a"],
    ["/a./b", "/a/b"],
    ["/a%0a", "/a"],
    ["/a%u002fb", "/a/b"],
  ];
  for (const [target, reading] of readings) {
    assert.ok(readPath(target).some(({ path }) => path === reading), target);
  }
  assert.deepEqual(readPath("/a").map(({ path }) => path), ["/a"]);
  assert.equal(asHandedOn("/%61%2f%2E"), "/a%2f.");
  assert.equal(asHandedOn("http://h:80/a/..?b"), "/a/..?b");
});

Deno.test("prices are those of the first rule that matches", () => {
  const prices: [host: string, method: string, path: string, price: string | undefined][] = [
    ["a.test", "GET", "/api/free/x", "free"],
    ["a.test", "GET", "/api/status", "free"],
    ["a.test", "POST", "/api/status", "pay"],
    ["a.test", "HEAD", "/api/status", "free"],
    ["a.test", "HEAD", "/lists/a", "pay"],
    ["a.test", "POST", "/lists/a", "free"],
    ["a.test", "GET", "/api/exact/", "pay"],
    ["a.test", "GET", "/api/deep", "pay"],
    ["a.test", "GET", "/api/deeper", "free"],
    ["a.test", "GET", "/caf\xc3\xa9/x", "pay"],
    ["a.test", "GET", "/x/y/secret", "pay"],
    ["a.test", "GET", "/broken/x", "blocked"],
    ["x.wild.test", "GET", "/x", "pay"],
    ["y.x.wild.test", "GET", "/x", "free"],
    ["named.test", "GET", "/x", undefined],
    ["named.test", "GET", "/app/exact", "pay"],
    ["named.test", "GET", "/app/exact/x", "free"],
    ["two.test", "GET", "/shop/buy/x", "pay"],
    ["constructor", "GET", "/api/exact", "pay"],
  ];
  for (const [host, method, path, price] of prices) {
    const request = { host, method, path, valueOf: () => undefined };
    assert.equal(priceOf(request), price, `${method} ${host}${path}`);
  }
});

Deno.test("every parser differs from the lax one about some named case", () => {
  const texts = namedCases.map(({ text }) => text((request) => requestId(1, request)));
  const countsOf = (index: number) =>
    texts.map((text) => {
      const { messages, until } = readStream(text, parserHabits[index]!);
      return `${messages.map(({ target, body }) => target + body)} ${until}`;
    });
  const lax = countsOf(1);
  for (const [index, { name }] of parserHabits.entries()) {
    if (index === 1) continue;
    const other = countsOf(index);
    assert.ok(lax.some((count, place) => count !== other[place]), name);
  }
});

Deno.test("replies are read strictly", () => {
  const read = (text: string, method = "GET") => readReplies(text, [method], true);
  assert.equal(read("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc")[0]?.body, "abc");
  assert.equal(read("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n", "HEAD")[0]?.complete, true);
  assert.equal(read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 x\r\n\r\n")[0]?.status, 204);
  for (
    const text of [
      "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 3\r\n\r\nabc",
      "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\nabc",
      "HTTP/1.1 200 OK\r\nx : y\r\n\r\n",
      "HTTP/1.1 204 x\r\n\r\nabc\r\n",
      "HTTP/1.1 200\n\n",
    ]
  ) assert.throws(() => read(text), text);
});

/** What the judge says when a backend gets `arrived` after a client has sent `sent`. */
function judged(sent: string, arrived: string): string[] {
  const judge = new Judge();
  judge.begin(new Flight(1, { name: "", writes: [sent], replies: [], clean: isClean(sent) }));
  const [message] = readStream(arrived, strictHabits).messages;
  const { id } = judge.arrived({ ...message!, raw: arrived });
  judge.bodyArrived(id, message!);
  return judge.findings.map(({ rule }) => rule);
}

const [one, two] = [requestId(1, 1), requestId(1, 2)];
const own = "x-402-hops: 1\r\nx-forwarded-for: 127.0.0.1\r\nx-forwarded-proto: http\r\n" +
  "x-forwarded-host: a.test\r\n";

function request(id: string, lines = "", path = "/docs/x"): string {
  return `GET ${path}?fz=${id} HTTP/1.1\r\nhost: a.test\r\n${idHeader}: ${id}\r\n${lines}\r\n`;
}

Deno.test("what the backend must not get is found", () => {
  const plain = request(one);
  assert.deepEqual(judged(plain, request(one, own)), []);
  const cases: [rule: RegExp, sent: string, arrived: string][] = [
    [/for nothing: pay/, plain, request(one, own, "/api/exact")],
    [/for nothing: pay/, plain, request(one, own, "/x/..;/api/exact")],
    [/for nothing: blocked/, plain, request(one, own, "/broken%2fx")],
    [/for nothing/, request(one, "", "/api%5cexact"), request(one, own)],
    [/for nothing/, plain, request(one, `${own}x_http_method: GET, POST\r\n`, "/forms/a")],
    [/must not arrive/, plain, request(one, `${own}x_402_payer: me\r\n`)],
    [/must not arrive/, plain, request(one, `${own}x-real-ip: 10.0.0.1\r\n`)],
    [/must not arrive/, plain, request(one, `${own}x.original.url: /\r\n`)],
    [/must not arrive/, plain, request(one, own.replace("127.0.0.1", "10.0.0.1"))],
    [/must not arrive/, plain, request(one, own + own)],
    [/nobody sent/, plain, request("x", own)],
    [/mixed/, plain, request(one, own).replace(`: ${one}`, `: ${two}`)],
    [/another body/, plain, request(one, `${own}content-length: 1\r\n`) + "x"],
    [/smuggled/, request(one, "content-length: 200\r\n") + request(two), request(two, own)],
    [/accepted: 2 Host/, request(one, "host: a.test\r\n"), request(one, own)],
    [
      /accepted: both/,
      request(one, "content-length: 1\r\ntransfer-encoding: chunked\r\n"),
      request(one, own),
    ],
    [
      /whole: a chunk/,
      request(one, "transfer-encoding: chunked\r\n") + "x\r\n",
      request(one, `${own}content-length: 1\r\n`) + "x",
    ],
  ];
  for (const [rule, sent, arrived] of cases) {
    assert.ok(judged(sent, arrived).some((found) => rule.test(found)), `${rule}: ${arrived}`);
  }
});

Deno.test("a seed gives the same flights again, and others than the next seed", () => {
  const texts = (seed: number) =>
    Array.from({ length: 200 }, (_, number) => generateFlight(seed, number).plan.writes);
  assert.deepEqual(texts(7), texts(7));
  assert.notDeepEqual(texts(7), texts(8));
});
