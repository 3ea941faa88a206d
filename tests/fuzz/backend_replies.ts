/** How the backend answers: all that HTTP/1.1 allows, and some of what it does not. */

export interface BackendReply {
  /** Written one by one. */
  readonly writes: readonly string[];
  /** The connection is closed after it. */
  readonly close?: true;
  /** Nothing may come on the connection after it, although it stays open. */
  readonly last?: true;
  /** It does not wait for the request's body. */
  readonly early?: true;
  /** Nobody can say for sure what it means: nothing of it may be passed on. */
  readonly unusable?: true;
  /** The client has to be able to tell that something is missing. */
  readonly unfinished?: true;
  /** What the client has to get of it; undefined: nothing certain. */
  readonly expected?: { readonly status: number; readonly body: string };
}

/** Stands in what no client may ever get. */
export const poison = "poisoned";
const poisoned = `HTTP/1.1 200 OK\r\nx-poison: ${poison}\r\ncontent-length: 8\r\n\r\n${poison}`;

type Reply = (id: string, method: string) => BackendReply;

const head = (id: string, status = "200 OK", version = "1.1") =>
  `HTTP/${version} ${status}\r\nx-echo-id: ${id}\r\n`;
const bodyOf = (id: string) => `this is for ${id}\n`;

/** Length, body: what HEAD gets of it has no body. */
function sized(id: string, method: string, lines = "", text = bodyOf(id)): string {
  return `${head(id)}${lines}content-length: ${text.length}\r\n\r\n${
    method === "HEAD" ? "" : text
  }`;
}

function chunks(text: string, sizes: readonly number[]): string {
  let rest = text, wire = "", turn = 0;
  while (rest !== "") {
    const size = Math.min(sizes[turn++ % sizes.length]!, rest.length);
    wire += `${size.toString(16)}\r\n${rest.slice(0, size)}\r\n`;
    rest = rest.slice(size);
  }
  return wire;
}

function chunked(id: string, method: string, end: string, text = bodyOf(id)): string {
  const lines = `${head(id)}transfer-encoding: chunked\r\n\r\n`;
  return method === "HEAD" ? lines : lines + chunks(text, [1, 7, 4096]) + end;
}

const whole = (id: string, method: string) => ({
  status: 200,
  body: method === "HEAD" ? "" : bodyOf(id),
});

const soundReplies = {
  "sized": (id, method) => ({ writes: [sized(id, method)], expected: whole(id, method) }),
  "chunked": (id, method) => ({
    writes: [chunked(id, method, "0\r\n\r\n")],
    expected: whole(id, method),
  }),
  "chunked with trailers": (id, method) => ({
    writes: [chunked(id, method, `0\r\nx-checksum: 1\r\nx-echo-id: ${poison}\r\n\r\n`)],
    expected: whole(id, method),
  }),
  "until the end": (id, method) => ({
    writes: [`${head(id)}\r\n${method === "HEAD" ? "" : bodyOf(id)}`],
    close: true,
    expected: whole(id, method),
  }),
  "HTTP/1.0": (id, method) => ({
    writes: [`${head(id, "200 OK", "1.0")}\r\n${method === "HEAD" ? "" : bodyOf(id)}`],
    close: true,
    expected: whole(id, method),
  }),
  "closed": (id, method) => ({
    writes: [sized(id, method, "connection: close\r\n")],
    close: true,
    expected: whole(id, method),
  }),
  "to be closed": (id, method) => ({
    writes: [sized(id, method, "connection: x, Close\r\n")],
    last: true,
    expected: whole(id, method),
  }),
  "no body": (id) => ({
    writes: [`${head(id, "404 Not Found")}content-length: 0\r\n\r\n`],
    expected: { status: 404, body: "" },
  }),
  "204": (id) => ({
    writes: [`${head(id, "204 No Content")}\r\n`],
    expected: { status: 204, body: "" },
  }),
  "304": (id) => ({
    // The length is that of what was not sent (RFC 9110, 8.6).
    writes: [`${head(id, "304 Not Modified")}content-length: 500\r\n\r\n`],
    expected: { status: 304, body: "" },
  }),
  "interim first": (id, method) => ({
    writes: [
      "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n",
      `HTTP/1.1 100 Continue\r\n\r\n${sized(id, method)}`,
    ],
    expected: whole(id, method),
  }),
  "in pieces": (id, method) => {
    const text = chunked(id, method, "0\r\n\r\n");
    const pieces = [text.slice(0, 9), text.slice(9, 40), text.slice(40, -3), text.slice(-3)];
    return { writes: pieces, expected: whole(id, method) };
  },
  "large": (id, method) => {
    const text = bodyOf(id).repeat(3000);
    const body = method === "HEAD" ? "" : text;
    return {
      writes: [chunked(id, method, "0\r\n\r\n", text)],
      expected: { status: 200, body },
    };
  },
  "early": (id, method) => ({
    writes: [sized(id, method)],
    early: true,
    expected: whole(id, method),
  }),
  "early, then closed": (id, method) => ({
    writes: [sized(id, method, "connection: close\r\n")],
    early: true,
    close: true,
  }),
} satisfies Record<string, Reply>;

const unusable = (text: string): BackendReply => ({ writes: [text + poisoned], unusable: true });

/** What a client gets of them is an error, or the part before the fault, and never the poison. */
const faultyReplies = {
  "two replies": (id, method) => ({ writes: [sized(id, method) + poisoned] }),
  "204 with a body": (id) => ({
    writes: [`${head(id, "204 No Content")}content-length: 8\r\n\r\n${poison}${poisoned}`],
  }),
  "304 with a body": (id) => ({
    writes: [`${head(id, "304 Not Modified")}content-length: 8\r\n\r\n${poison}${poisoned}`],
  }),
  "body for HEAD": (id) => ({ writes: [sized(id, "GET")] }),
  "both framings": (id, method) =>
    unusable(
      chunked(id, method, "0\r\n\r\n").replace("transfer", "content-length: 300\r\ntransfer"),
    ),
  "two lengths": (id, method) => unusable(sized(id, method, "content-length: 1\r\n")),
  "bad length": (id, method) =>
    unusable(sized(id, method).replace("content-length: ", "content-length: +")),
  "another coding": (id, method) =>
    unusable(chunked(id, method, "0\r\n\r\n").replace("chunked", "gzip, chunked")),
  "bare line feeds": (id, method) => unusable(sized(id, method, "x-a: b\ncontent-length: 0\n\n")),
  "NUL in a value": (id, method) => unusable(sized(id, method, "x-a: b\0c\r\n")),
  "folded line": (id, method) => unusable(sized(id, method, "x-a: b\r\n c\r\n")),
  "space before the colon": (id, method) =>
    unusable(sized(id, method).replace("content-length:", "content-length :")),
  "status beyond 599": (id, method) => unusable(sized(id, method).replace("200 OK", "600 x")),
  "switched unasked": (id) => unusable(`${head(id, "101 Switching Protocols")}upgrade: x\r\n\r\n`),
  "bad chunk": (id, method) => ({
    writes: [chunked(id, method, `0x0\r\n\r\n`) + poisoned],
  }),
  "cut off": (id, method) => ({
    writes: [chunked(id, method, "")],
    close: true,
    unfinished: true,
  }),
  "no reply": () => ({ writes: [], close: true }),
  "no HTTP": () => ({ writes: [`SSH-2.0-x\r\n${poisoned}`], close: true }),
} satisfies Record<string, Reply>;

export type ReplyKind = keyof typeof soundReplies | keyof typeof faultyReplies;

export const soundKinds = Object.keys(soundReplies) as (keyof typeof soundReplies)[];
export const faultyKinds = Object.keys(faultyReplies) as (keyof typeof faultyReplies)[];

const replies: Readonly<Record<ReplyKind, Reply>> = { ...soundReplies, ...faultyReplies };

export function backendReply(kind: ReplyKind, id: string, method: string): BackendReply {
  return replies[kind](id, method);
}
