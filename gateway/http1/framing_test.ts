import assert from "node:assert/strict";
import { type Framing, persists, replyFraming, requestFraming } from "./framing.ts";
import { HeaderFields } from "./header_fields.ts";
import { MalformedMessage } from "./malformed_message.ts";
import { parseReplyHead, parseRequestHead } from "./message_head.ts";

/** A framing, or the status of the refusal. */
type Outcome = Framing | { readonly status: number };
const bad: Outcome = { status: 400 };
const unknown: Outcome = { status: 501 };

/** What the header lines of a message say about its body. */
const cases: [lines: string[], outcome: Outcome][] = [
  [["Content-Length: 0"], 0],
  [["Content-Length: 5"], 5],
  [["content-length:5"], 5],
  [["Content-Length: \t5 \t"], 5],
  [["Content-Length: 0000000000000005"], 5],
  [["Content-Length: 4503599627370496"], 2 ** 52],
  [["Content-Length: 4503599627370497"], bad],
  [["Content-Length: 18446744073709551621"], bad],
  [["Content-Length: 00000000000000005"], bad],
  [["Content-Length:"], bad],
  [["Content-Length: +5"], bad],
  [["Content-Length: -5"], bad],
  [["Content-Length: 5.0"], bad],
  [["Content-Length: 5e0"], bad],
  [["Content-Length: 0x5"], bad],
  [["Content-Length: 5 5"], bad],
  [["Content-Length: 5,5"], bad],
  [["Content-Length: 5, 6"], bad],
  [["Content-Length: ,5"], bad],
  [["Content-Length: 5;"], bad],
  [['Content-Length: "5"'], bad],
  [["Content-Length: \xb25"], bad],
  [["Content-Length: 5", "Content-Length: 5"], bad],
  [["Content-Length: 5", "content-length: 6"], bad],
  [["Content-Length: 5", "Content-Length:"], bad],
  [["Transfer-Encoding: chunked"], "chunked"],
  [["transfer-encoding:CHUNKED"], "chunked"],
  [["Transfer-Encoding: \tchunked\t"], "chunked"],
  [["Transfer-Encoding:"], unknown],
  [["Transfer-Encoding: identity"], unknown],
  [["Transfer-Encoding: gzip"], unknown],
  [["Transfer-Encoding: gzip, chunked"], unknown],
  [["Transfer-Encoding: chunked, gzip"], unknown],
  [["Transfer-Encoding: chunked, chunked"], unknown],
  [["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], unknown],
  [["Transfer-Encoding: chunked", "Transfer-Encoding: identity"], unknown],
  [["Transfer-Encoding: identity", "Transfer-Encoding: chunked"], unknown],
  [["Transfer-Encoding: ,chunked"], unknown],
  [["Transfer-Encoding: chunked,"], unknown],
  [["Transfer-Encoding: chunked;q=1"], unknown],
  [['Transfer-Encoding: "chunked"'], unknown],
  [["Transfer-Encoding: x chunked"], unknown],
  [["Transfer-Encoding: chunked\xa0"], unknown],
  [["Transfer-Encoding: chun\xadked"], unknown],
  [["Transfer-Encoding: chunked", "Content-Length: 5"], bad],
  [["Content-Length: 5", "Transfer-Encoding: chunked"], bad],
  [["Content-Length: 0", "Transfer-Encoding: chunked"], bad],
  // Names that some servers take for the real ones are other names here.
  [["Transfer_Encoding: chunked"], 0],
  [["Content_Length: 5"], 0],
  [["X-Transfer-Encoding: chunked"], 0],
];

function outcomeOf(framing: () => Framing): Outcome {
  try {
    return framing();
  } catch (error) {
    if (!(error instanceof MalformedMessage)) throw error;
    return { status: error.status };
  }
}

Deno.test("the framing of a request", () => {
  for (const [lines, expected] of [[[], 0] as [string[], Outcome], ...cases]) {
    const head = parseRequestHead(["GET / HTTP/1.1", ...lines].join("\r\n"));
    assert.deepEqual(outcomeOf(() => requestFraming(head)), expected, lines.join(" | "));
  }
});

Deno.test("the framing of a reply is read as strictly, and none ends with the connection", () => {
  const withNone = [[], "close"] as [string[], Outcome];
  for (const [lines, expected] of [withNone, ...cases]) {
    const head = parseReplyHead(["HTTP/1.1 200 OK", ...lines].join("\r\n"));
    const isUnframed = expected === 0 && !/^content-length: 0/i.test(lines[0] ?? "");
    const outcome = outcomeOf(() => replyFraming(head, "GET"));
    assert.deepEqual(outcome, isUnframed ? "close" : expected, lines.join(" | "));
  }
});

Deno.test("HTTP/1.0 has no transfer codings", () => {
  const request = parseRequestHead("POST / HTTP/1.0\r\ntransfer-encoding: chunked");
  assert.deepEqual(outcomeOf(() => requestFraming(request)), bad);
  const reply = parseReplyHead("HTTP/1.0 200 OK\r\ntransfer-encoding: chunked");
  assert.deepEqual(outcomeOf(() => replyFraming(reply, "GET")), bad);
});

Deno.test("replies that have no body, whatever their lines say; broken lines are refused", () => {
  const none: [status: number, method: string][] = [
    [200, "HEAD"],
    [100, "GET"],
    [101, "GET"],
    [204, "GET"],
    [304, "GET"],
  ];
  for (const [status, method] of none) {
    for (const line of ["content-length: 5", "transfer-encoding: chunked", "a: b"]) {
      const head = parseReplyHead(`HTTP/1.1 ${status} x\r\n${line}`);
      assert.equal(replyFraming(head, method), 0, `${method} ${status} ${line}`);
    }
    const broken = parseReplyHead(`HTTP/1.1 ${status} x\r\ncontent-length: 5, 6`);
    assert.throws(() => replyFraming(broken, method), MalformedMessage);
  }
});

Deno.test("which connections persist", () => {
  const table: [connection: string | undefined, minorVersion: 0 | 1, expected: boolean][] = [
    [undefined, 1, true],
    [undefined, 0, false],
    ["close", 1, false],
    ["Close", 1, false],
    ["x , CLOSE", 1, false],
    ["keep-alive, close", 1, false],
    ["closed", 1, true],
    ["keep-alive", 0, true],
    ["x, Keep-Alive", 0, true],
    ["keep-alive, close", 0, false],
    ["x", 0, false],
  ];
  for (const [connection, minorVersion, expected] of table) {
    const fields = HeaderFields.of(connection === undefined ? [] : [["connection", connection]]);
    assert.equal(persists(fields, minorVersion), expected, `${connection} 1.${minorVersion}`);
  }
  const twice = HeaderFields.of([["connection", "x"], ["connection", "close"]]);
  assert.equal(persists(twice, 1), false);
});
