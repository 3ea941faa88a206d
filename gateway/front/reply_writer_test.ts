/** How replies look on the wire. */
import assert from "node:assert/strict";
import { BytesSource } from "../http1/byte_source.ts";
import { HeaderFields, type HeaderLine } from "../http1/header_fields.ts";
import { bytes } from "../upstream/raw_sockets.ts";
import { FrontRig, get, ok, sourceOf } from "./front_rig.ts";
import { type Delivery, emptyReply, Reply } from "./reply.ts";

type Body = Reply["body"];

function reply(
  body: Body,
  status = 200,
  lines: HeaderLine[] = [],
  more: Partial<Reply> = {},
): Reply {
  return new Reply({ status, headers: HeaderFields.of(lines), body, ...more });
}

/** The reply to one request, which is the last of its connection, and what `onEnd` was told. */
async function answered(make: (onEnd: (delivery: Delivery) => void) => Reply, method = "GET") {
  const deliveries: Delivery[] = [];
  await using rig = new FrontRig(() => make((delivery) => deliveries.push(delivery)));
  const text = await rig.exchange(get("/", "connection: close").replace("GET", method));
  const end = text.indexOf("\r\n\r\n") + 4;
  const head = text.slice(0, end).replace(/^date: .*\r\n/m, "").replace(
    /^connection: close\r\n/m,
    "",
  );
  return { head, body: text.slice(end), deliveries };
}

const heads: [name: string, make: () => Reply, head: string, body: string][] = [
  ["no body", () => emptyReply(200), "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", ""],
  [
    "bytes",
    () => ok("abc").withBody(bytes("abc")),
    "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 3\r\n\r\n",
    "abc",
  ],
  [
    "a body that is there",
    () => reply(new BytesSource(bytes("abc"))),
    "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n",
    "abc",
  ],
  [
    "a body of known length",
    () => reply(sourceOf(["a", "bc"], 3)),
    "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n",
    "abc",
  ],
  [
    "a body of unknown length",
    () => reply(sourceOf(["a", "", "bc"])),
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
    "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
  ],
  [
    "a status without a phrase",
    () => emptyReply(299),
    "HTTP/1.1 299 \r\ncontent-length: 0\r\n\r\n",
    "",
  ],
  ["204 with bytes", () => reply(bytes("abc"), 204), "HTTP/1.1 204 No Content\r\n\r\n", ""],
  [
    "304 with a source",
    () => reply(sourceOf(["abc"], 3), 304, [["etag", "x"]]),
    "HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n",
    "",
  ],
  [
    "a length that is wrong",
    () => reply(bytes("abc"), 200, [["content-length", "9"]]),
    "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n",
    "abc",
  ],
  [
    "bytes above ASCII",
    () => reply(null, 200, [["x", "\xe9\xff"]]),
    "HTTP/1.1 200 OK\r\nx: \xe9\xff\r\ncontent-length: 0\r\n\r\n",
    "",
  ],
  [
    "repeated lines",
    () => reply(null, 200, [["set-cookie", "a"], ["set-cookie", "b"]]),
    "HTTP/1.1 200 OK\r\nset-cookie: a\r\nset-cookie: b\r\ncontent-length: 0\r\n\r\n",
    "",
  ],
];

Deno.test("heads and bodies", async (t) => {
  for (const [name, make, head, body] of heads) {
    await t.step(name, async () => {
      const result = await answered(make);
      assert.deepEqual([result.head, result.body], [head, body]);
    });
  }
});

Deno.test("HEAD: the head alone, with the length where the backend named one", async () => {
  const named = await answered(() => reply(null, 200, [["content-length", "9"]]), "HEAD");
  assert.deepEqual([named.head, named.body], ["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", ""]);
  for (
    const make of [
      () => ok("abc"),
      () => reply(sourceOf(["abc"])),
      () => reply(sourceOf(["abc"], 3)),
    ]
  ) {
    const { head, body } = await answered(make, "HEAD");
    assert.doesNotMatch(head, /transfer-encoding/);
    assert.equal(body, "");
  }
});

Deno.test("a body that is not wanted is given up", async () => {
  for (const [status, method] of [[200, "HEAD"], [304, "GET"]] as const) {
    let cancelled = 0;
    const source = sourceOf(["abc"], 3);
    source.cancel = () => cancelled++;
    const { body } = await answered(() => reply(source, status), method);
    assert.deepEqual([body, cancelled], ["", 1]);
  }
});

Deno.test("HEAD: the next reply follows at once", async () => {
  await using rig = new FrontRig(({ target }) => ok(target));
  const client = await rig.sending("HEAD /a HTTP/1.1\r\nhost: a\r\n\r\n" + get("/b"));
  assert.equal((await client.reply("HEAD")).status, 200);
  assert.equal((await client.reply()).body, "/b");
});

Deno.test("a client of HTTP/1.0 gets no chunks but the end of the connection", async () => {
  const request = "GET / HTTP/1.0\r\nhost: a\r\nconnection: keep-alive\r\n\r\n";
  await using rig = new FrontRig(() => reply(sourceOf(["a", "bc"])));
  const text = await rig.exchange(request);
  assert.match(text, /\r\nconnection: close\r\n\r\nabc$/);
  assert.doesNotMatch(text, /transfer-encoding|content-length/);
});

Deno.test("a date is added where there is none", async () => {
  await using rig = new FrontRig(({ target }) =>
    reply(null, 200, target === "/own" ? [["date", "then"]] : [])
  );
  const client = await rig.sending(get("/") + get("/own"));
  const date = /^date: (.*)\r$/m.exec((await client.reply()).head)?.[1];
  assert.ok(Math.abs(Date.parse(date!) - Date.now()) < 5_000, String(date));
  const own = (await client.reply()).head;
  assert.deepEqual(own.match(/^date: .*\r$/gm), ["date: then\r"]);
});

Deno.test("prepared text goes out as it is", async () => {
  const headers = HeaderFields.of([["x", "1"]]);
  const part = (before: string, text: string, after: string) => {
    return { before: bytes(before), text, after: bytes(after) };
  };
  const head = part("HTTP/1.1 402 Payment Required\r\nx: ", "1", "\r\n");
  const prepared = { head, body: part("a", "b", "c") };
  const sent = await answered(() => new Reply({ status: 402, headers, prepared, body: "abc" }));
  assert.equal(sent.head, "HTTP/1.1 402 Payment Required\r\nx: 1\r\ncontent-length: 3\r\n\r\n");
  assert.equal(sent.body, "abc");
});

Deno.test("long bodies of all kinds arrive whole", async () => {
  for (const length of [16 * 1024 - 200, 16 * 1024, 64 * 1024, 64 * 1024 + 1, 5 * 2 ** 20]) {
    const text = "0123456789abcdef".repeat(Math.ceil(length / 16)).slice(0, length);
    const bodies: (() => Body)[] = [
      () => bytes(text),
      () => new BytesSource(bytes(text)),
      () => sourceOf([text], length),
      () => sourceOf([text.slice(0, 1), text.slice(1)]),
    ];
    await using rig = new FrontRig(({ target }) => reply(bodies[Number(target.slice(1))]!()));
    for (const i of bodies.keys()) {
      const client = await rig.sending(get(`/${i}`));
      assert.ok((await client.reply()).body === text, `${i}: ${length}`);
    }
  }
});

/** A source that breaks off after its pieces. */
function* breaking(...pieces: string[]): Generator<string> {
  yield* pieces;
  throw new Error("the backend is gone");
}

Deno.test("a body that breaks off has no end", async () => {
  const chunked = await answered((onEnd) => reply(sourceOf(breaking("abc")), 200, [], { onEnd }));
  assert.equal(chunked.body, "3\r\nabc\r\n");
  assert.deepEqual(chunked.deliveries, ["aborted"]);
  for (const pieces of [["abc"], ["abc", "defg"]]) {
    // One that is shorter, and one that is longer than announced.
    const sized = await answered((onEnd) => reply(sourceOf(pieces, 5), 200, [], { onEnd }));
    assert.equal(sized.body, "abc");
    assert.deepEqual(sized.deliveries, ["aborted"]);
  }
});

Deno.test("a body that breaks off before the head is a failure with its status", async () => {
  const source = sourceOf([]);
  source.take = () => {
    throw new Error("no body");
  };
  const { head, deliveries } = await answered((onEnd) => reply(source, 200, [], { onEnd }));
  assert.match(head, /^HTTP\/1\.1 500 /);
  assert.deepEqual(deliveries, ["aborted"]);
});
