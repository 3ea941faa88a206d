import assert from "node:assert/strict";
import { bodyReader } from "./body_reader.ts";
import { BytesSource, readAll } from "./byte_source.ts";
import { ConnectionReader } from "./connection_reader.ts";
import type { Framing } from "./framing.ts";
import { readerOf } from "./pieces.ts";
import { bytes, latin1 } from "../upstream/raw_sockets.ts";

function bodyOf(framing: Framing, pieces: string[]) {
  const reader = readerOf(pieces);
  const ends: boolean[] = [];
  return { reader, ends, body: bodyReader(reader, framing, (clean) => ends.push(clean)) };
}

const samples: [framing: Framing, pieces: string[], clean: boolean][] = [
  [6, ["abc", "defGET"], true],
  ["chunked", ["3\r\nabc\r\n3\r", "\ndef\r\n0\r\n\r\nGET"], true],
  ["close", ["abc", "def"], false],
];

Deno.test("a body ends once, and says whether another message may follow", async () => {
  for (const [framing, pieces, clean] of samples) {
    const { body, ends, reader } = bodyOf(framing, pieces);
    assert.equal(body.length, framing === 6 ? 6 : undefined);
    assert.equal(body.ended, false);
    assert.equal(latin1(await readAll(body)), "abcdef");
    assert.deepEqual([await body.read(), body.ended, ends], [null, true, [clean]], `${framing}`);
    body.cancel("too late");
    assert.equal(await body.read(), null);
    if (clean) assert.equal(latin1(reader.consume(Infinity)), "GET");
  }
});

Deno.test("take gives a body only when all of it is there and nothing has been read", async () => {
  for (const [framing, pieces, clean] of samples.slice(0, 2)) {
    const { body, ends, reader } = bodyOf(framing, [pieces.join("")]);
    assert.equal(body.take(), undefined);
    await reader.fill();
    assert.equal(latin1(body.take()!), "abcdef");
    assert.deepEqual(ends, [], "told when the bytes have been used");
    assert.deepEqual([body.take(), await body.read(), ends], [undefined, null, [clean]]);

    const late = bodyOf(framing, pieces);
    await late.reader.fill();
    assert.equal(late.body.take(), undefined, "a part");
    assert.equal(latin1(await readAll(late.body)), "abcdef", "take has lost nothing");

    const begun = bodyOf(framing, pieces);
    const first = latin1((await begun.body.read())!);
    await begun.reader.fill();
    assert.equal(begun.body.take(), undefined, "after a read");
    assert.equal(first + latin1(await readAll(begun.body)), "abcdef");
  }
});

Deno.test("an empty chunked body is taken as well", async () => {
  const { body, reader, ends } = bodyOf("chunked", ["0\r\n\r\n"]);
  await reader.fill();
  assert.deepEqual([body.take()?.byteLength, await body.read(), ends], [0, null, [true]]);
});

Deno.test("take of what is no body throws and ends it", async () => {
  const { body, reader, ends } = bodyOf("chunked", ["x\r\n"]);
  await reader.fill();
  assert.throws(() => body.take(), { status: 400 });
  assert.deepEqual([body.ended, ends], [true, [false]]);
});

Deno.test("a body that is cut off", async () => {
  for (const [framing, text] of [[6, "abc"], ["chunked", "6\r\nabc"]] as const) {
    const { body, ends } = bodyOf(framing, [text]);
    assert.equal(latin1((await body.read())!), "abc");
    await assert.rejects(body.read(), /ended inside the body/);
    assert.deepEqual([body.ended, ends], [true, [false]]);
  }
});

Deno.test("cancelling throws the reason into the read that waits, and into later ones", async () => {
  const { promise, resolve } = Promise.withResolvers<number | null>();
  const reader = new ConnectionReader({ read: () => promise }, 16);
  const ends: boolean[] = [];
  const body = bodyReader(reader, 6, (clean) => ends.push(clean));
  const reading = body.read();
  body.cancel("why");
  resolve(null);
  await assert.rejects(reading, (reason) => reason === "why");
  await assert.rejects(body.read(), (reason) => reason === "why");
  assert.deepEqual(ends, [false]);
});

Deno.test("a connection that breaks ends the body with its error", async () => {
  const reader = new ConnectionReader({ read: () => Promise.reject(new Error("reset")) }, 16);
  const ends: boolean[] = [];
  const body = bodyReader(reader, "close", (clean) => ends.push(clean));
  await assert.rejects(body.read(), /reset/);
  assert.deepEqual(ends, [false]);
});

Deno.test("readAll has a limit, which cancels the rest", async () => {
  const { body, ends } = bodyOf(6, ["abc", "def"]);
  await assert.rejects(readAll(body, 5), RangeError);
  assert.deepEqual(ends, [false]);
  const exact = bodyOf(6, ["abc", "def"]);
  assert.equal(latin1(await readAll(exact.body, 6)), "abcdef");
});

Deno.test("bytes that are there already are a body once", async () => {
  const taken = new BytesSource(bytes("abc"));
  assert.deepEqual([taken.length, latin1(taken.take()!), await taken.read()], [3, "abc", null]);
  const read = new BytesSource(bytes("abc"));
  assert.equal(latin1((await read.read())!), "abc");
  assert.deepEqual([read.take(), await read.read()], [undefined, null]);
  const cancelled = new BytesSource(bytes("abc"));
  cancelled.cancel();
  assert.equal(await cancelled.read(), null);
});
