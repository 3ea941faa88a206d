import assert from "node:assert/strict";
import { always, rawBackend, readMessage, send } from "../raw_sockets.ts";
import { type Case, type Expected, expectedOf, outcome, pause } from "./rig.ts";

const ok = "HTTP/1.1 200 OK\r\n";
const chunked = `${ok}transfer-encoding: chunked\r\n\r\n`;
const lines = (count: number) => "x-a: 1\r\n".repeat(count);
const interim = (count: number) => "HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n".repeat(count);

const reset = "upstream_reset sent:maybe";
const invalid = "upstream_invalid sent:maybe";
const broken = "200 <broken>";
/** What Deno's client lets pass. */
const forgivenByFetch = (text: string): Expected => ({ http1: invalid, fetch: text });

/** The backend writes the bytes and closes. */
const replies: readonly [name: string, bytes: string, expected: Expected][] = [
  // The end comes too early.
  ["closed after the request", "", reset],
  ["head cut off", "HTTP/1.1 200 OK\r\ncontent-le", reset],
  ["only an interim reply", "HTTP/1.1 100 Continue\r\n\r\n", reset],
  ["body cut off", `${ok}content-length: 9\r\n\r\nok`, broken],
  ["chunks cut off", `${chunked}2\r\nok\r\n`, broken],
  ["chunks cut off in the trailers", `${chunked}2\r\nok\r\n0\r\n`, broken],
  // The status line.
  ["not HTTP", "SSH-2.0-x\r\n\r\n", invalid],
  ["HTTP/2 preface", "HTTP/2.0 200 OK\r\n\r\n", invalid],
  ["another minor version", "HTTP/1.2 200 OK\r\n\r\nok", invalid],
  ["version in lower case", "http/1.1 200 OK\r\n\r\nok", invalid],
  ["no reason phrase", "HTTP/1.1 200\r\n\r\nok", "200 ok"],
  ["two spaces before the status", "HTTP/1.1  200 OK\r\n\r\nok", invalid],
  ["status 20", "HTTP/1.1 20 OK\r\n\r\nok", invalid],
  ["status 2000", "HTTP/1.1 2000 OK\r\n\r\nok", invalid],
  ["status 099", "HTTP/1.1 099 x\r\n\r\n", invalid],
  ["status 600", "HTTP/1.1 600 x\r\ncontent-length: 0\r\n\r\n", invalid],
  ["status 101", "HTTP/1.1 101 x\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", invalid],
  ["NUL in the reason", "HTTP/1.1 200 O\0K\r\n\r\nok", invalid],
  // Header lines.
  ["no colon", `${ok}x\r\n\r\n`, invalid],
  ["no name", `${ok}: a\r\n\r\nok`, invalid],
  ["a name that is no token", `${ok}x(y): a\r\n\r\nok`, invalid],
  ["space before the colon", `${ok}content-length : 2\r\n\r\nok`, invalid],
  ["folded line", `${ok}x-a: 1\r\n 2\r\n\r\nok`, invalid],
  ["folded first line", `${ok}\tx-a: 1\r\n\r\nok`, invalid],
  ["NUL in a value", `${ok}x-a: a\0b\r\n\r\nok`, invalid],
  ["NUL in a name", `${ok}x\0a: b\r\n\r\nok`, invalid],
  ["control character in a value", `${ok}x-a: a\x01b\r\n\r\nok`, invalid],
  ["DEL in a value", `${ok}x-a: a\x7fb\r\n\r\nok`, invalid],
  ["CR alone in a value", `${ok}x-a: 1\rx-b: 2\r\n\r\nok`, invalid],
  ["CR alone at the end of the head", `${ok}x-a: 1\r\r\n\r\nok`, invalid],
  ["LF alone everywhere", "HTTP/1.1 200 OK\ncontent-length: 2\n\nok", forgivenByFetch("200 ok")],
  ["LF alone after a line", `${ok}x-a: 1\nx-b: 2\r\n\r\nok`, forgivenByFetch("200 ok")],
  ["LF alone at the end of the head", `${ok}x-a: 1\r\n\nok`, forgivenByFetch("200 ok")],
  ["100 lines", `${ok}${lines(100)}\r\nok`, "200 ok"],
  ["101 lines", `${ok}${lines(101)}\r\nok`, { http1: "200 ok", fetch: invalid }],
  ["128 lines", `${ok}${lines(128)}\r\nok`, { http1: "200 ok", fetch: invalid }],
  ["129 lines", `${ok}${lines(129)}\r\nok`, invalid],
  ["60 KB of head", `${ok}x-a: ${"a".repeat(60_000)}\r\n\r\nok`, "200 ok"],
  ["70 KB of head", `${ok}x-a: ${"a".repeat(70_000)}\r\n\r\nok`, forgivenByFetch("200 ok")],
  ["600 KB of head", `${ok}x-a: ${"a".repeat(600_000)}\r\n\r\nok`, invalid],
  // The length.
  ["length not a number", `${ok}content-length: x\r\n\r\n`, invalid],
  ["length empty", `${ok}content-length:\r\n\r\nok`, invalid],
  ["length negative", `${ok}content-length: -2\r\n\r\nok`, invalid],
  ["length with a plus", `${ok}content-length: +2\r\n\r\nok`, invalid],
  ["length hexadecimal", `${ok}content-length: 0x2\r\n\r\nok`, invalid],
  ["length of 20 digits", `${ok}content-length: ${"9".repeat(20)}\r\n\r\nok`, invalid],
  ["length over 2^53", `${ok}content-length: 9007199254740993\r\n\r\nok`, forgivenByFetch(broken)],
  ["two lengths", `${ok}content-length: 1\r\ncontent-length: 2\r\n\r\nab`, invalid],
  [
    "the length twice",
    `${ok}content-length: 2\r\ncontent-length: 2\r\n\r\nok`,
    forgivenByFetch("200 ok"),
  ],
  ["lengths with a comma", `${ok}content-length: 2, 2\r\n\r\nok`, forgivenByFetch("200 ok")],
  [
    "a length and chunks",
    `${ok}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
    invalid,
  ],
  // Transfer codings.
  ["gzip", `${ok}transfer-encoding: gzip\r\n\r\nx`, invalid],
  ["gzip, chunked", `${ok}transfer-encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`, invalid],
  ["identity", `${ok}transfer-encoding: identity\r\n\r\nok`, invalid],
  [
    "chunked twice",
    `${ok}${"transfer-encoding: chunked\r\n".repeat(2)}\r\n2\r\nok\r\n0\r\n\r\n`,
    invalid,
  ],
  ["CHUNKED", `${ok}Transfer-Encoding: CHUNKED\r\n\r\n2\r\nok\r\n0\r\n\r\n`, "200 ok"],
  [
    "chunked after a vertical tab",
    `${ok}transfer-encoding: \x0bchunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
    invalid,
  ],
  [
    "chunked in HTTP/1.0",
    "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    invalid,
  ],
  // Chunks.
  ["chunks", `${chunked}1\r\no\r\n1\r\nk\r\n0\r\n\r\n`, "200 ok"],
  ["extensions", `${chunked}2;a="b;c"\r\nok\r\n0;x\r\n\r\n`, "200 ok"],
  ["LF alone in an extension", `${chunked}2;a\nb\r\nok\r\n0\r\n\r\n`, broken],
  ["no size", `${chunked}\r\nok\r\n0\r\n\r\n`, broken],
  ["size of 68 bits", `${chunked}fffffffffffffffff\r\nok\r\n0\r\n\r\n`, broken],
  ["size of 64 bits", `${chunked}ffffffffffffffff\r\nok\r\n0\r\n\r\n`, broken],
  ["size with 0x", `${chunked}0x2\r\nok\r\n0\r\n\r\n`, broken],
  ["size negative", `${chunked}-2\r\nok\r\n0\r\n\r\n`, broken],
  ["size with a plus", `${chunked}+2\r\nok\r\n0\r\n\r\n`, broken],
  ["size after a space", `${chunked} 2\r\nok\r\n0\r\n\r\n`, broken],
  ["size before a space", `${chunked}2 \r\nok\r\n0\r\n\r\n`, { http1: broken, fetch: "200 ok" }],
  ["LF alone after the size", `${chunked}2\nok\r\n0\r\n\r\n`, broken],
  ["LF alone after the data", `${chunked}2\r\nok\n0\r\n\r\n`, broken],
  ["nothing after the data", `${chunked}2\r\nok0\r\n\r\n`, broken],
  ["more data than announced", `${chunked}2\r\nokk\r\n0\r\n\r\n`, broken],
  ["trailers are dropped", `${chunked}2\r\nok\r\n0\r\nx-t: 1\r\nx-u: 2\r\n\r\n`, "200 ok"],
  ["trailer without colon", `${chunked}2\r\nok\r\n0\r\nx t\r\n\r\n`, broken],
  ["trailer with a space in its name", `${chunked}2\r\nok\r\n0\r\nx t: 1\r\n\r\n`, broken],
  ["LF alone after a trailer", `${chunked}2\r\nok\r\n0\r\nx-t: 1\n\r\n`, broken],
  ["too many trailers", `${chunked}2\r\nok\r\n0\r\n${lines(2000)}\r\n`, broken],
  // Bodies up to the end of the connection.
  ["no framing", `${ok}\r\nok`, "200 ok"],
  ["HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nok", "200 ok"],
  ["HTTP/1.0 with a length", "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", "200 ok"],
  // Interim replies.
  ["100 first", `HTTP/1.1 100 Continue\r\n\r\n${ok}\r\nok`, "200 ok"],
  ["16 interim replies", `${interim(16)}${ok}\r\nok`, "200 ok"],
  ["1,000 interim replies", `${interim(1000)}${ok}\r\nok`, forgivenByFetch("200 ok")],
  [
    "a length in an interim reply",
    `HTTP/1.1 103 x\r\ncontent-length: 5\r\n\r\n${ok}\r\nok`,
    "200 ok",
  ],
  ["redirect", "HTTP/1.1 302 x\r\nlocation: /b\r\ncontent-length: 0\r\n\r\n", "302 "],
];

const single: readonly Case[] = replies.map(([name, bytes, expected]) => ({
  name: `reply: ${name}`,
  async run(transport, transportName) {
    await using backend = rawBackend(bytes);
    assert.equal(await outcome(transport, backend.url), expectedOf(expected, transportName));
    assert.equal(backend.requests.length, 1);
  },
}));

const rest: readonly Case[] = [
  {
    name: "a broken head is refused while its connection stays open, and ends it",
    async run(transport, name) {
      for (const head of ["HTTP/1.1 200 OK\nx", "HTTP/1.1 600 x\r\ncontent-length: 9\r\n\r\n"]) {
        // Deno's client waits for the rest of a head whose lines end with LF.
        if (name === "fetch" && head.includes("OK\n")) continue;
        await using backend = rawBackend(async (connection) => {
          await send(connection, head);
          await readMessage(connection);
        });
        assert.equal(await outcome(transport, backend.url), invalid);
        await backend.clientClosed;
      }
    },
  },
  {
    name: "interim replies without end",
    async run(transport, name) {
      if (name === "fetch") return;
      await using backend = rawBackend(async (connection) => {
        for (;;) await send(connection, interim(1));
      });
      assert.equal(await outcome(transport, backend.url), invalid);
      await backend.clientClosed;
    },
  },
  {
    name: "a reply is the same wherever its bytes are split",
    async run(transport, name) {
      const whole = [
        `HTTP/1.1 103 x\r\nlink: a\r\n\r\n${ok}content-length: 5\r\n\r\nhello`,
        `${chunked}3;x\r\nhel\r\n2\r\nlo\r\n0\r\nx-t: 1\r\n\r\n`,
      ];
      let at = 0;
      let text = "";
      await using backend = rawBackend(async (connection) => {
        await send(connection, text.slice(0, at));
        await pause();
        await send(connection, text.slice(at));
      });
      for (text of whole) {
        for (at = 1; at < text.length; at++) {
          assert.equal(await outcome(transport, backend.url), "200 hello", `split at ${at}`);
        }
      }
      // Deno's client gives a connection up after trailers.
      if (name === "http1") assert.equal(backend.connections, 1);
    },
  },
  {
    name: "the body of a reply that is over is not mixed up with what comes after it",
    async run(transport) {
      const forged = `${ok}content-length: 6\r\n\r\nforged`;
      await using backend = rawBackend(always(`${ok}content-length: 2\r\n\r\nok${forged}`));
      assert.equal(await outcome(transport, backend.url), "200 ok");
      await backend.clientClosed;
      assert.equal(await outcome(transport, backend.url), "200 ok");
      assert.equal(backend.connections, 2);
    },
  },
];

export const replyCases: readonly Case[] = [...single, ...rest];
