import assert from "node:assert/strict";
import { MalformedMessage } from "./malformed_message.ts";
import { checkTrailers, parseReplyHead, parseRequestHead } from "./message_head.ts";

/** Without the empty line at the end, which ends the head before it is parsed. */
const goodRequests: [
  text: string,
  method: string,
  target: string,
  minorVersion: 0 | 1,
  fields: [string, string][],
][] = [
  ["GET / HTTP/1.1", "GET", "/", 1, []],
  ["GET / HTTP/1.0\r\nHost: a", "GET", "/", 0, [["host", "a"]]],
  ["OPTIONS * HTTP/1.1", "OPTIONS", "*", 1, []],
  ["CONNECT h:80 HTTP/1.1", "CONNECT", "h:80", 1, []],
  ["GET http://h/a?b HTTP/1.1", "GET", "http://h/a?b", 1, []],
  ['get /a#b?\\"<>{}|^` HTTP/1.1', "get", '/a#b?\\"<>{}|^`', 1, []],
  ["M-SEARCH!#$%&'*+.^_`|~9 / HTTP/1.1", "M-SEARCH!#$%&'*+.^_`|~9", "/", 1, []],
  ["GET / HTTP/1.1\r\nX-A:b", "GET", "/", 1, [["x-a", "b"]]],
  ["GET / HTTP/1.1\r\na: \t b \t c\t ", "GET", "/", 1, [["a", "b \t c"]]],
  ["GET / HTTP/1.1\r\na:\r\nb: ", "GET", "/", 1, [["a", ""], ["b", ""]]],
  ["GET / HTTP/1.1\r\na: b: c:", "GET", "/", 1, [["a", "b: c:"]]],
  ["GET / HTTP/1.1\r\na: \xe9\xff\x80", "GET", "/", 1, [["a", "\xe9\xff\x80"]]],
  ["GET / HTTP/1.1\r\nA: 1\r\na: 2\r\nA: 3", "GET", "/", 1, [["a", "1"], ["a", "2"], ["a", "3"]]],
  ["GET / HTTP/1.1\r\nx_y: 1\r\nX.Y~!: 2", "GET", "/", 1, [["x_y", "1"], ["x.y~!", "2"]]],
];

Deno.test("request heads that are taken", () => {
  for (const [text, method, target, minorVersion, fields] of goodRequests) {
    const head = parseRequestHead(text);
    assert.deepEqual(
      [head.method, head.target, head.minorVersion, [...head.fields]],
      [method, target, minorVersion, fields],
      JSON.stringify(text),
    );
  }
});

const badRequests: [text: string, status?: number][] = [
  [""],
  ["GET"],
  ["GET /"],
  ["GET / "],
  ["GET  HTTP/1.1"],
  [" / HTTP/1.1"],
  [" GET / HTTP/1.1"],
  ["GET  / HTTP/1.1"],
  ["GET /  HTTP/1.1"],
  ["GET / HTTP/1.1 "],
  ["GET /a b HTTP/1.1"],
  ["GET\t/\tHTTP/1.1"],
  ["GET /\ta HTTP/1.1"],
  ["G(T / HTTP/1.1"],
  ["G\xe9T / HTTP/1.1"],
  ["GET /\xe9 HTTP/1.1"],
  ["GET / HTTP/1.1x"],
  ["GET / http/1.1"],
  ["GET / HTTP/1"],
  ["GET / HTTP/11"],
  ["GET / HTTP/1.10"],
  ["GET / HTTP/1,1"],
  ["GET / HTTP/1.2", 505],
  ["GET / HTTP/2.0", 505],
  ["GET / HTTP/0.9", 505],
  ["PRI * HTTP/2.0", 505],
  // Lines.
  ["GET / HTTP/1.1\r\na"],
  ["GET / HTTP/1.1\r\na\r\nb: c"],
  ["GET / HTTP/1.1\r\n: b"],
  ["GET / HTTP/1.1\r\na : b"],
  ["GET / HTTP/1.1\r\na\t: b"],
  ["GET / HTTP/1.1\r\n a: b"],
  ["GET / HTTP/1.1\r\na: b\r\n c"],
  ["GET / HTTP/1.1\r\na: b\r\n\tc: d"],
  ["GET / HTTP/1.1\r\na b: c"],
  ["GET / HTTP/1.1\r\na\xe9: c"],
  ["GET / HTTP/1.1\r\na(b): c"],
  ['GET / HTTP/1.1\r\n"a": c'],
  ["GET / HTTP/1.1\r\na[]: c"],
  // A carriage return or a line feed by itself, wherever it stands.
  ["GET / HTTP/1.1\na: b"],
  ["GET / HTTP/1.1\r\na: b\nc: d"],
  ["GET / HTTP/1.1\r\na: b\rc: d"],
  ["GET / HTTP/1.1\r\na: b\r\r\nc: d"],
  ["GET / HTTP/1.1\r\na: b\r"],
  ["GET / HTTP/1.1\r\na: b\n"],
  ["GET / HTTP/1.1\r"],
  ["\nGET / HTTP/1.1"],
  ["\rGET / HTTP/1.1"],
  ...[..."\0\x01\x08\x0b\x0c\x0e\x1f\x7f"].flatMap((character): [string][] => [
    [`GET / HTTP/1.1\r\na: b${character}c`],
    [`GET / HTTP/1.1\r\na${character}: b`],
    [`GET /${character} HTTP/1.1`],
    [`G${character}T / HTTP/1.1`],
  ]),
];

Deno.test("request heads that are refused, with their status", () => {
  for (const [text, status = 400] of badRequests) {
    assert.throws(() => parseRequestHead(text), (error) => {
      assert.ok(error instanceof MalformedMessage, `${JSON.stringify(text)}: ${error}`);
      assert.equal(error.status, status, JSON.stringify(text));
      return true;
    }, JSON.stringify(text));
  }
});

Deno.test("128 header lines and no more", () => {
  const lines = (count: number) => "GET / HTTP/1.1" + "\r\na: b".repeat(count);
  assert.equal([...parseRequestHead(lines(128)).fields].length, 128);
  assert.throws(() => parseRequestHead(lines(129)), { status: 431 });
});

const goodReplies: [text: string, status: number, minorVersion: 0 | 1][] = [
  ["HTTP/1.1 200 OK\r\na: b", 200, 1],
  ["HTTP/1.1 200 OK", 200, 1],
  ["HTTP/1.0 200 OK\r\na: b", 200, 0],
  ["HTTP/1.1 402 Payment Required\r\na: b", 402, 1],
  ["HTTP/1.1 299 \r\na: b", 299, 1],
  ["HTTP/1.1 299\r\na: b", 299, 1],
  ["HTTP/1.1 200 d\xe9j\xe0 vu\r\na: b", 200, 1],
  ["HTTP/1.1 999 x\r\na: b", 999, 1],
];

Deno.test("reply heads that are taken", () => {
  for (const [text, status, minorVersion] of goodReplies) {
    const head = parseReplyHead(text);
    assert.deepEqual([head.status, head.minorVersion], [status, minorVersion], text);
    assert.equal(head.fields.get("a"), text.includes("a: b") ? "b" : null, text);
  }
});

Deno.test("reply heads that are refused", () => {
  const refused = [
    ...["", "HTTP/1.1", "HTTP/1.1 200OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 +20 OK"],
    ...["HTTP/1.1 099 OK", "HTTP/1.1  200 OK", "http/1.1 200 OK", "HTTP/2.0 200 OK", "ICY 200 OK"],
    ...[" HTTP/1.1 200 OK", "HTTP/1.1\t200 OK", "HTTP/1.1 200 O\nK", "HTTP/1.1 200 O\0K"],
    ...["HTTP/1.1 200 OK\r\na", "HTTP/1.1 200 OK\r\na : b", "HTTP/1.1 200 OK\r\na: b\r\n c"],
    ...["HTTP/1.1 200 OK\r\na: b\r", "HTTP/1.1 200 OK\r\na: b\rc: d"],
  ];
  for (const text of refused) {
    assert.throws(() => parseReplyHead(text), MalformedMessage, JSON.stringify(text));
  }
});

Deno.test("trailers are held to the same grammar", () => {
  for (const text of ["", "a: b", "a: b\r\nc: d"]) checkTrailers(text);
  for (const text of ["a", "a : b", " a: b", "a: b\r", "a: b\nc: d", "a: b\r\n c", "a: \0"]) {
    assert.throws(() => checkTrailers(text), MalformedMessage, JSON.stringify(text));
  }
});
