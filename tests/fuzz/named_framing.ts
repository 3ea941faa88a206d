/** Where a request ends: each published trick in the places where it does harm. */
import { idHeader } from "./flight.ts";
import {
  chunkEnds,
  chunkLines,
  codingLines,
  lastChunks,
  lengthLines,
  startLines,
} from "./framing_tricks.ts";
import type { NamedCase } from "./named_cases.ts";

type Ids = (request: number) => string;

const host = "Host: a.test";

/** A whole request, for what is free or what is paid. */
function get(id: string, path = "/docs/x"): string {
  return `GET ${path}?fz=${id} HTTP/1.1\r\n${host}\r\n${idHeader}: ${id}\r\n\r\n`;
}

/** The request that a body hides: it asks for what is paid. */
function hidden(id: Ids): string {
  return get(id(2), "/vault/key");
}

function post(id: string, lines: readonly string[], body: string): string {
  const start = `POST /docs/x?fz=${id} HTTP/1.1`;
  return [start, host, `${idHeader}: ${id}`, ...lines, "", body].join("\r\n");
}

const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

/** For whoever believes the length, the hidden request is the body; for the others it comes after it. */
const codingAgainstLength = codingLines.map((line): NamedCase => ({
  name: `CL.TE: ${JSON.stringify(line)}`,
  text: (id) => {
    const body = `0\r\n\r\n${hidden(id)}`;
    return post(id(1), [`Content-Length: ${body.length}`, line], body) + get(id(3));
  },
}));

/** For whoever sees the coding, the hidden request is in a chunk. */
const lengthAgainstCoding = codingLines.map((line): NamedCase => ({
  name: `TE.CL: ${JSON.stringify(line)}`,
  text: (id) => {
    const size = hidden(id).length.toString(16);
    const body = `${size}\r\n${hidden(id)}\r\n0\r\n\r\n`;
    return post(id(1), [line, `Content-Length: ${size.length + 2}`], body) + get(id(3));
  },
}));

const codingAlone = codingLines.map((line): NamedCase => ({
  name: `TE: ${JSON.stringify(line)}`,
  text: (id) => post(id(1), [line], chunk(hidden(id)) + "0\r\n\r\n") + get(id(3)),
}));

/** The lines depend on the length of the request, and that on nothing. */
const requestLength = hidden((request) => `flight-AAAAAAA-${"ABC"[request]}`).length;

const lengths = lengthLines(requestLength).map((line): NamedCase => ({
  name: `CL: ${JSON.stringify(shortened(line))}`,
  text: (id) => post(id(1), [line], hidden(id)) + get(id(3)),
}));

const chunkSizes = chunkLines(requestLength).map((line): NamedCase => ({
  name: `chunk size: ${JSON.stringify(shortened(line))}`,
  text: (id) =>
    post(id(1), ["Transfer-Encoding: chunked"], `${line}${hidden(id)}\r\n0\r\n\r\n`) + get(id(3)),
}));

const ends = chunkEnds.map((end): NamedCase => ({
  name: `chunk end: ${JSON.stringify(end)}`,
  text: (id) => {
    const body = `3\r\nabc${end}${chunk(hidden(id))}0\r\n\r\n`;
    return post(id(1), ["Transfer-Encoding: chunked"], body) + get(id(3));
  },
}));

const last = lastChunks.map((end): NamedCase => ({
  name: `last chunk: ${JSON.stringify(end)}`,
  text: (id) => post(id(1), ["Transfer-Encoding: chunked"], chunk("abc") + end) + hidden(id),
}));

const starts = startLines("GET", "/docs/x?fz=@").map((line): NamedCase => ({
  name: `request line: ${JSON.stringify(line)}`,
  text: (id) =>
    [line.replace("@", id(1)), host, `${idHeader}: ${id(1)}`, "", ""].join("\r\n") + get(id(3)),
}));

const others: readonly NamedCase[] = [
  {
    name: "pipelined requests, each with its own reply",
    text: (id) => [1, 2, 3, 4, 5].map((request) => get(id(request))).join(""),
    arrive: [1, 2, 3, 4, 5],
    replies: ["sized", "chunked", "204", "no body", "in pieces"],
  },
  {
    name: "paid and free requests, pipelined",
    text: (id) => get(id(1)) + get(id(2), "/vault/key") + get(id(3)),
    arrive: [1, 3],
  },
  {
    name: "a body between pipelined requests",
    text: (id) => post(id(1), ["Content-Length: 3"], "abc") + get(id(2)),
    arrive: [1, 2],
  },
  {
    name: "chunks between pipelined requests",
    text: (id) =>
      post(id(1), ["Transfer-Encoding: chunked"], chunk("abc") + chunk("d") + "0\r\n\r\n") +
      get(id(2)),
    arrive: [1, 2],
  },
  {
    name: "a body that looks like a request",
    text: (id) => post(id(1), [`Content-Length: ${requestLength}`], hidden(id)) + get(id(3)),
    arrive: [1, 3],
  },
  {
    name: "a body of a paid request that looks like a request",
    text: (id) =>
      post(id(1), [`Content-Length: ${requestLength}`], hidden(id))
        .replace("/docs/x", "/api/exact"),
    arrive: [],
  },
  {
    name: "a body of GET that looks like a request (CL.0)",
    text: (id) =>
      post(id(1), [`Content-Length: ${requestLength}`], hidden(id)).replace("POST", "GET") +
      get(id(3)),
  },
  {
    name: "a body without a length",
    text: (id) => post(id(1), [], "abc"),
    arrive: [1],
  },
  {
    name: "a body that is never sent",
    text: (id) => post(id(1), ["Content-Length: 1000"], get(id(2))),
  },
  {
    name: "an expectation and its body",
    text: (id) => post(id(1), ["Expect: 100-continue", "Content-Length: 3"], "abc") + get(id(2)),
  },
  {
    name: "a request after the last one",
    text: (id) => get(id(1)).replace("Host", "Connection: close\r\nHost") + get(id(2)),
    arrive: [1],
  },
  {
    name: "a request after the last one, among other options",
    text: (id) => get(id(1)).replace("Host", "Connection: x, Close\r\nHost") + get(id(2)),
    arrive: [1],
  },
  {
    name: "a request after one of HTTP/1.0",
    text: (id) => get(id(1)).replace("HTTP/1.1", "HTTP/1.0") + get(id(2)),
    arrive: [1],
  },
  {
    name: "HTTP/1.0 that stays",
    text: (id) =>
      get(id(1)).replace("HTTP/1.1\r\n", "HTTP/1.0\r\nConnection: keep-alive\r\n") + get(id(2)),
  },
  {
    name: "chunks in HTTP/1.0",
    text: (id) =>
      post(id(1), ["Transfer-Encoding: chunked"], `0\r\n\r\n${hidden(id)}`)
        .replace("HTTP/1.1", "HTTP/1.0"),
  },
  {
    name: "an upgrade that nobody takes, and a request",
    text: (id) =>
      get(id(1)).replace("Host", "Connection: Upgrade\r\nUpgrade: h2c\r\nHost") + get(id(2)),
    arrive: [1, 2],
  },
  {
    name: "a handshake that the backend refuses, and a request",
    text: (id) => handshake(id(1), "13") + get(id(2), "/vault/key"),
    arrive: [1],
  },
  {
    name: "a handshake of a version that is none, and a request (websocket smuggling)",
    text: (id) => handshake(id(1), "777") + get(id(2), "/vault/key"),
    arrive: [],
  },
  { name: "the preface of HTTP/2", text: (id) => `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${get(id(1))}` },
  { name: "HTTP/0.9", text: (id) => `GET /docs/x?fz=${id(1)}\r\n`, arrive: [] },
  { name: "a head that never ends", text: (id) => get(id(1)).slice(0, -2), arrive: [] },
  {
    name: "no HTTP at all",
    text: () => "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n",
    arrive: [],
  },
];

function handshake(id: string, version: string): string {
  const lines = [
    "Connection: Upgrade",
    "Upgrade: websocket",
    `Sec-WebSocket-Version: ${version}`,
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
  ];
  return get(id).replace("Host", lines.join("\r\n") + "\r\nHost");
}

function shortened(line: string): string {
  return line.length > 80 ? `${line.slice(0, 40)}... (${line.length})` : line;
}

export const framingCases: readonly NamedCase[] = [
  ...[...codingAgainstLength, ...lengthAgainstCoding, ...codingAlone, ...lengths, ...chunkSizes],
  ...[...ends, ...last, ...starts, ...others],
];
