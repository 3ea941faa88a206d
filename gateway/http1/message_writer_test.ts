import assert from "node:assert/strict";
import {
  acquireBuffer,
  frameChunk,
  releaseBuffer,
  writeAll,
  writeLatin1,
} from "./message_writer.ts";
import { bytes, latin1 } from "../upstream/raw_sockets.ts";

Deno.test("text goes out with one byte a character, as it came in", () => {
  const every = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join("");
  for (const text of ["", "ascii", "\xe9", "a\xff\x80b", "\u00c3\u00a9", every]) {
    for (const at of [0, 1, 7]) {
      const buffer = new Uint8Array(1024);
      const end = writeLatin1(text, buffer, at);
      assert.equal(end, at + text.length, JSON.stringify(text));
      assert.equal(latin1(buffer.subarray(at, end)), text);
      assert.ok(buffer.subarray(0, at).every((byte) => byte === 0), "nothing before it");
    }
  }
});

Deno.test("text that fits exactly, in one byte a character", () => {
  for (const text of ["abc", "\xe9\xe9\xe9"]) {
    const buffer = new Uint8Array(5);
    assert.equal(writeLatin1(text, buffer, 2), 5);
    assert.equal(latin1(buffer), "\0\0" + text);
  }
});

Deno.test("a chunk with its size and its end", () => {
  for (const length of [1, 15, 16, 255, 256, 4096]) {
    const data = new Uint8Array(length).fill(0x78);
    const chunk = latin1(frameChunk(data, new Uint8Array(length + 32)));
    assert.equal(chunk, `${length.toString(16)}\r\n${"x".repeat(length)}\r\n`);
  }
});

Deno.test("a write that takes only a part is gone on with", async () => {
  const written: number[] = [];
  let text = "";
  const slow = {
    write(bytes: Uint8Array) {
      const count = Math.min(3, bytes.byteLength);
      written.push(count);
      text += latin1(bytes.subarray(0, count));
      return Promise.resolve(count);
    },
  };
  await writeAll(slow, bytes("abcdefgh"));
  assert.deepEqual([text, written], ["abcdefgh", [3, 3, 2]]);
});

Deno.test("a buffer is nobody else's until it is released; long ones are not kept", () => {
  const first = acquireBuffer(10);
  const second = acquireBuffer(10);
  assert.notEqual(first, second);
  releaseBuffer(first);
  assert.equal(acquireBuffer(10), first);
  const long = acquireBuffer(100_000);
  assert.equal(long.byteLength, 100_000);
  releaseBuffer(long);
  assert.notEqual(acquireBuffer(100_000), long);
  const many = Array.from({ length: 200 }, () => acquireBuffer(1));
  for (const buffer of many) releaseBuffer(buffer);
  const again = new Set(Array.from({ length: 200 }, () => acquireBuffer(1)));
  const kept = many.filter((buffer) => again.has(buffer)).length;
  assert.ok(kept <= 64, `${kept} buffers were kept`);
});

Deno.test("a character that is no byte ends no line, and nothing is written", () => {
  assert.throws(() => writeLatin1("x: \u010aset-cookie: a", new Uint8Array(100), 0), RangeError);
});
