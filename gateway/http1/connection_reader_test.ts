import assert from "node:assert/strict";
import { ConnectionReader } from "./connection_reader.ts";
import { readerOf } from "./pieces.ts";
import { bytes, latin1 } from "../upstream/raw_sockets.ts";

async function headOf(reader: ConnectionReader, maxBytes = 65536): Promise<string | undefined> {
  for (;;) {
    const head = reader.takeHead(maxBytes);
    if (head !== undefined || !(await reader.fill())) return head;
  }
}

Deno.test("a head is the same wherever its bytes are split", async () => {
  const text = "\r\n\r\nGET / HTTP/1.1\r\na: \xe9\r\n\r\nrest";
  const expected = "GET / HTTP/1.1\r\na: \xe9";
  for (let first = 0; first <= text.length; first++) {
    for (let second = first; second <= text.length; second++) {
      const pieces = [text.slice(0, first), text.slice(first, second), text.slice(second)];
      const reader = readerOf(pieces.filter((piece) => piece !== ""), 16);
      assert.equal(await headOf(reader), expected, `split at ${first} and ${second}`);
      while (await reader.fill());
      assert.equal(latin1(reader.consume(Infinity)), "rest");
    }
  }
});

Deno.test("heads that follow each other, in one piece and byte by byte", async () => {
  const heads = Array.from({ length: 50 }, (_, i) => `GET /${i} HTTP/1.1\r\nhost: a`);
  const text = heads.map((head) => head + "\r\n\r\n").join("");
  for (const pieces of [[text], [...text]]) {
    const reader = readerOf(pieces, 64);
    for (const head of heads) assert.equal(await headOf(reader), head);
    assert.equal(await headOf(reader), undefined);
  }
});

Deno.test("a head may have so many bytes and no more, whether or not its end is there", async () => {
  const head = "GET /" + "a".repeat(95);
  // The end of its last line counts, the empty line does not.
  assert.equal(await headOf(readerOf([head + "\r\n\r\n"]), 102), head);
  await assert.rejects(headOf(readerOf([head + "\r\n\r\n"]), 101), { status: 431 });
  await assert.rejects(headOf(readerOf([...head, "b", "b", "b"]), 102), { status: 431 });
});

Deno.test("a head longer than the buffer makes it grow, and rest gives the memory back", async () => {
  const sizes: number[] = [];
  const long = bytes("GET / HTTP/1.1\r\na: " + "b".repeat(20_000) + "\r\n\r\n");
  let at = 0;
  const reader = new ConnectionReader({
    read(into) {
      sizes.push(into.buffer.byteLength);
      if (at === long.byteLength) return Promise.resolve(null);
      const piece = long.subarray(at, at + into.byteLength);
      into.set(piece);
      at += piece.byteLength;
      return Promise.resolve(piece.byteLength);
    },
  }, 1024);
  assert.ok(await headOf(reader) !== undefined);
  assert.ok(Math.max(...sizes) >= 20_000);
  reader.rest();
  await reader.fill();
  assert.equal(sizes.at(-1), 1024);
});

Deno.test("rest keeps what has been read and a read that is under way", async () => {
  const reader = readerOf(["x".repeat(64), "y"], 16);
  while (reader.available < 64) await reader.fill();
  reader.rest();
  assert.equal(latin1(reader.consume(64)), "x".repeat(64));
  const filling = reader.fill();
  reader.rest();
  assert.equal(await filling, true);
  assert.equal(latin1(reader.consume(1)), "y");
});

Deno.test("all who wait for bytes wait for the same read", async () => {
  const { promise, resolve } = Promise.withResolvers<number>();
  let reads = 0;
  const reader = new ConnectionReader({ read: () => (reads++, promise) }, 16);
  const both = Promise.all([reader.fill(), reader.fill()]);
  resolve(1);
  assert.deepEqual([await both, reads, reader.available], [[true, true], 1, 1]);
});

Deno.test("an endless run of empty lines takes no memory", async () => {
  const sizes = new Set<number>();
  let reads = 0;
  const reader = new ConnectionReader({
    read(into) {
      sizes.add(into.buffer.byteLength);
      if (++reads > 1000) return Promise.resolve(null);
      for (let i = 0; i < into.byteLength; i++) into[i] = (i % 2 === 0) ? 0x0d : 0x0a;
      return Promise.resolve(into.byteLength - into.byteLength % 2);
    },
  }, 64);
  assert.equal(await headOf(reader, 128), undefined);
  assert.ok(Math.max(...sizes) <= 65536, `${[...sizes]}`);
});
