import assert from "node:assert/strict";
import { BytesSource } from "../../http1/byte_source.ts";
import { latin1, rawBackend, readHead, readToEnd, readUntil, send } from "../raw_sockets.ts";
import {
  type Case,
  type Expected,
  expectedOf,
  outcome,
  Pieces,
  request,
  silent,
  textOf,
} from "./rig.ts";

const empty = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const refusal = "HTTP/1.1 403 x\r\ncontent-length: 2\r\n\r\nno";
const method = "POST";

/** Bytes that do not repeat with any buffer size. */
function noise(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0, state = 1; i < length; i++) {
    state = state * 1103515245 + 12345 & 0x7fffffff;
    bytes[i] = state >>> 16;
  }
  return bytes;
}

/** In pieces of very different sizes, empty ones among them, which are no last chunk. */
function piecesOf(bytes: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [bytes.subarray(0, 0)];
  for (let at = 0, size = 1; at < bytes.byteLength; at += size, size = size * 7 % 300_007) {
    pieces.push(bytes.subarray(at, at + size), bytes.subarray(0, 0));
  }
  return pieces;
}

/** The data of a chunked body; fails on anything but plain chunks to the end of the text. */
function unchunk(text: string): string {
  const parts: string[] = [];
  for (let at = 0;;) {
    const end = text.indexOf("\r\n", at);
    assert.match(text.slice(at, end), /^[0-9a-f]+$/i);
    const size = parseInt(text.slice(at, end), 16);
    parts.push(text.slice(end + 2, end + 2 + size));
    at = end + 2 + size;
    assert.equal(text.slice(at, at + 2), "\r\n");
    at += 2;
    if (size === 0) {
      assert.equal(at, text.length);
      return parts.join("");
    }
  }
}

function bodyOf(message: string): string {
  return message.slice(message.indexOf("\r\n\r\n") + 4);
}

/** A backend that answers when it has five bytes of a body, and what it was sent until the end. */
function sink() {
  const received = Promise.withResolvers<string>();
  const backend = rawBackend(async (connection, head) => {
    let text = head;
    if (!/\r\n\r\n[^]{5}/.test(head)) {
      text += await readUntil(connection, (more) => bodyOf(head + more).length >= 5) ?? "";
    }
    await send(connection, empty).catch(() => {});
    received.resolve(text + await readToEnd(connection));
  }, { read: readHead });
  return { backend, received: received.promise };
}

const framed: readonly Case[] = ["announced", "not announced"].map((kind) => ({
  name: `bodies both ways, length ${kind}: every byte`,
  async run(transport) {
    const data = noise(4 * 1024 * 1024 + 17);
    const length = kind === "announced" ? data.byteLength : undefined;
    const isEnd = (text: string) => text.endsWith("\r\n0\r\n\r\n");
    await using backend = rawBackend(async (connection, start) => {
      let message = start;
      if (length === undefined && !isEnd(start)) {
        message += await readUntil(connection, isEnd);
      }
      const body = bodyOf(message);
      assert.ok(latin1(data) === (length === undefined ? unchunk(body) : body));
      const lines = length === undefined
        ? "transfer-encoding: chunked\r\n"
        : `content-length: ${length}\r\n`;
      await send(connection, `HTTP/1.1 200 OK\r\n${lines}\r\n${body}`);
    });
    const body = new Pieces(piecesOf(data), length);
    const reply = await transport.send(request(backend.url, { method, body }));
    assert.equal(reply.body!.length, length);
    assert.ok(await textOf(reply.body!) === latin1(data));
    assert.equal(/^content-length: (\d+)\r$/m.exec(backend.requests[0]!)?.[1], length?.toString());
  },
}));

const wire: readonly Case[] = [{
  name: "a body keeps the framing that it came with",
  async run(transport) {
    await using backend = rawBackend(empty);
    const cases = [
      [new Pieces(["hel", "lo"], 5), /\r\ncontent-length: 5\r\n(?:[^]*\r\n)?\r\nhello$/, /chunked/],
      [
        new BytesSource(new TextEncoder().encode("hello")),
        /\r\ncontent-length: 5\r\n(?:[^]*\r\n)?\r\nhello$/,
        /chunked/,
      ],
      [
        new Pieces(["hel", "lo"], undefined),
        /\r\ntransfer-encoding: chunked\r\n/,
        /content-length/,
      ],
      [null, /\r\ncontent-length: 0\r\n/, /chunked/],
    ] as const;
    for (const [body, there, notThere] of cases) {
      assert.equal(await outcome(transport, backend.url, { method, body }), "200 ");
      assert.match(backend.requests.at(-1)!, there);
      assert.doesNotMatch(backend.requests.at(-1)!, notThere);
    }
  },
}, {
  name: "the body of a GET",
  async run(transport, name) {
    await using backend = rawBackend(empty);
    const body = new Pieces(["hello"], 5);
    const expected = name === "http1" ? "200 " : "upstream_unreachable sent:no";
    assert.equal(await outcome(transport, backend.url, { body }), expected);
    if (name === "http1") assert.match(backend.requests[0]!, /content-length: 5\r\n\r\nhello$/);
  },
}];

const gone = () => Promise.reject(new Error("gone"));
const failed = "upstream_reset sent:maybe";
/** Deno's client cuts off what is too much, which is as good. */
const cut: Expected = { http1: failed, fetch: "200 " };

/** Sources that do not give what they announced, and what the backend must not see of it. */
const wrong: readonly [name: string, body: () => Pieces, expected: Expected, never: RegExp][] = [
  ["breaks off, chunked", () => new Pieces(["hel"], undefined, gone), failed, /\r\n0\r\n/],
  ["breaks off, announced", () => new Pieces(["hel"], 5, gone), failed, /\r\n\r\n[^]{5}/],
  ["is too short", () => new Pieces(["hel"], 5), failed, /\r\n\r\n[^]{5}/],
  ["is too long", () => new Pieces(["hello", "GET /"], 5), cut, /GET \//],
  ["is too long in one piece", () => new Pieces(["helloGET /"], 5), cut, /GET \//],
];

const wrongCases: readonly Case[] = wrong.map(([name, body, expected, never]) => ({
  name: `an upload that ${name}`,
  async run(transport, transportName) {
    const { backend, received } = sink();
    await using _ = backend;
    const reply = await outcome(transport, backend.url, { method, body: body() });
    assert.equal(reply, expectedOf(expected, transportName));
    if (reply === failed) await backend.clientClosed;
    else await backend[Symbol.asyncDispose]();
    // Of some not even the head is sent.
    if (backend.requests.length > 0) assert.doesNotMatch(await received, never);
  },
}));

const early: readonly Case[] = ["keeps the connection", "closes the connection"].map((kind) => ({
  name: `a reply before the end of the upload, whose backend ${kind}`,
  async run(transport, name) {
    const closes = kind === "closes the connection";
    await using backend = rawBackend(async (connection, head) => {
      await send(connection, refusal);
      if (closes && head.includes("/early")) connection.close();
    }, { read: readHead });
    for (const length of [undefined, 1_000_000]) {
      const body = new Pieces(["hello"], length, silent);
      const parts = { method, body, target: "/early" };
      assert.equal(await outcome(transport, backend.url, parts), "403 no");
      // Deno's client goes on with the upload for as long as the backend lets it.
      if (name === "http1" || closes) await body.cancelled;
    }
    assert.equal(await outcome(transport, backend.url), "403 no");
    assert.equal(backend.connections, 3, "no connection in the middle of a request is used again");
  },
}));

export const uploadCases: readonly Case[] = [...framed, ...wire, ...wrongCases, ...early, {
  name: "a reply that begins before the end of the upload, and ends after it",
  async run(transport) {
    const more = Promise.withResolvers<void>();
    const body = new Pieces(["hello"], undefined, async () => (await more.promise, null));
    await using backend = rawBackend(async (connection, head) => {
      await send(connection, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no");
      if (!head.endsWith("0\r\n\r\n")) {
        await readUntil(connection, (text) => text.endsWith("0\r\n\r\n"));
      }
      await send(connection, "k");
    });
    const reply = await transport.send(request(backend.url, { method, body }));
    more.resolve();
    assert.equal(await textOf(reply.body!), "ok");
  },
}, {
  name: "a backend that ends the connection without a reply ends the upload",
  async run(transport) {
    await using backend = rawBackend("");
    const body = new Pieces(["hello"], undefined, silent);
    assert.equal(
      await outcome(transport, backend.url, { method, body }),
      "upstream_reset sent:maybe",
    );
    await body.cancelled;
  },
}, {
  name: "a backend that does not read holds the upload back",
  async run(transport) {
    const stop = Promise.withResolvers<void>();
    await using backend = rawBackend(() => stop.promise);
    let given = 0;
    const piece = new Uint8Array(256 * 1024);
    const full = Promise.withResolvers<void>();
    const body = new Pieces([], undefined);
    let waiting: ReturnType<typeof setTimeout> | undefined;
    body.read = () => {
      given += piece.byteLength;
      clearTimeout(waiting);
      waiting = setTimeout(full.resolve, 200);
      return Promise.resolve(piece);
    };
    const sending = outcome(transport, backend.url, { method, body });
    await full.promise;
    // What sockets hold; everything that one has would be gigabytes.
    assert.ok(given < 32 * 1024 * 1024, `${given}`);
    stop.reject(new Error("closes the connection"));
    assert.equal(await sending, "upstream_reset sent:maybe");
    clearTimeout(waiting);
  },
}];
