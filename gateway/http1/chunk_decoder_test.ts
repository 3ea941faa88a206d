import assert from "node:assert/strict";
import fc from "fast-check";
import { bodyReader } from "./body_reader.ts";
import { readAll } from "./byte_source.ts";
import { ChunkDecoder } from "./chunk_decoder.ts";
import type { ConnectionReader } from "./connection_reader.ts";
import { MalformedMessage } from "./malformed_message.ts";
import { readerOf } from "./pieces.ts";
import { bytes, latin1 } from "../upstream/raw_sockets.ts";

/** The data of a chunked body, and what came after it. */
async function decode(pieces: Iterable<string | Uint8Array>, restingBytes = 4096) {
  const reader = readerOf(pieces, restingBytes);
  const data = latin1(await readAll(bodyReader(reader, "chunked", () => {})));
  while (await reader.fill());
  return { data, rest: latin1(reader.consume(Infinity)) };
}

const good: [text: string, data: string][] = [
  ["0\r\n\r\n", ""],
  ["000\r\n\r\n", ""],
  ["3\r\nabc\r\n0\r\n\r\n", "abc"],
  ["0000000000000003\r\nabc\r\n0\r\n\r\n", "abc"],
  ["A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "0123456789".repeat(2)],
  ["2\r\n\r\n\r\n0\r\n\r\n", "\r\n"],
  ["5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"],
  ['3;a\r\nabc\r\n0;b="c;d"\r\n\r\n', "abc"],
  ["3;\xe9\t x\r\nabc\r\n0\r\n\r\n", "abc"],
  ["3\r\nabc\r\n0\r\na: b\r\nc: d\r\n\r\n", "abc"],
];

Deno.test("chunked bodies, with what follows them left alone", async () => {
  for (const [text, data] of good) {
    for (const pieces of [[text + "GET /"], [...text, "GET /"]]) {
      assert.deepEqual(await decode(pieces), { data, rest: "GET /" }, JSON.stringify(text));
    }
  }
});

const malformed = [
  ...["\r\n", "\n", " 3\r\nabc\r\n0\r\n\r\n", "3 \r\nabc\r\n0\r\n\r\n", "3 ;a\r\nabc\r\n0\r\n\r\n"],
  ...[
    "3\t\r\nabc\r\n0\r\n\r\n",
    "-3\r\nabc",
    "+3\r\nabc",
    "0x3\r\nabc",
    "3h\r\nabc",
    "g\r\n",
    "3,3\r\nabc",
  ],
  ...["\xb3\r\nabc", "3.0\r\nabc", "3_0\r\n", "3\0\r\nabc", ";a\r\nabc"],
  // Ends of lines.
  ...["3\nabc\r\n0\r\n\r\n", "3\rabc\r\n0\r\n\r\n", "3\r\r\nabc", "3\n\r\nabc"],
  ...["3\r\nabc\n0\r\n\r\n", "3\r\nabc\r0\r\n\r\n", "3\r\nabc0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n"],
  ...["4\r\nabc\r\n0\r\n\r\n", "3\r\nabc\r\n\r\n", "3\r\nabc\r\n\n0\r\n\r\n", "0\n\r\n", "0\n\n"],
  ...["3\rXabc\r\n0\r\n\r\n", "3\r\nabcX\n0\r\n\r\n", "3\r\nabc\rX0\r\n\r\n", "0\rX\r\n"],
  // Extensions.
  ...["3;a\nabc\r\n0\r\n\r\n", "3;a\rb\r\nabc", "3;\0\r\nabc", "3;\x7f\r\nabc", "3;\x1f\r\nabc"],
  // Trailers.
  ...["0\r\na\r\n\r\n", "0\r\na : b\r\n\r\n", "0\r\n a: b\r\n\r\n", "0\r\na: b\r\n c\r\n\r\n"],
  ...["0\r\na: b\n\r\n\r\n", "0\r\na: b\r\r\n\r\n", "0\r\n\n\r\n\r\n", "0\r\na: \0\r\n\r\n"],
  "0\r\nx: y" + "z".repeat(16 * 1024) + "\r\n\r\n",
  "0\r\n" + "a: b\r\n".repeat(129) + "\r\n",
  // Sizes that cannot be counted, or never end.
  ...["fffffffffffffffff\r\n", "10000000000001\r\n", "ffffffffffffffff\r\n"],
  "0".repeat(17) + "\r\n\r\n",
];

Deno.test("what is no chunked body is refused, in one piece and byte by byte", async () => {
  for (const text of malformed) {
    for (const pieces of [[text], [...text]]) {
      const name = JSON.stringify(text.slice(0, 40));
      await assert.rejects(decode(pieces), MalformedMessage, name);
    }
  }
});

Deno.test("extensions of all chunks together have a limit", async () => {
  const chunk = (extension: string) => `1;${extension}\r\nx\r\n`;
  const within = chunk("e".repeat(1024)).repeat(16) + "0\r\n\r\n";
  assert.equal((await decode([within])).data, "x".repeat(16));
  const beyond = chunk("e".repeat(1024)).repeat(17) + "0\r\n\r\n";
  await assert.rejects(decode([beyond]), MalformedMessage);
});

Deno.test("a body that ends before its last chunk is cut off, not complete", async () => {
  const [text] = good[2]!;
  for (let length = 0; length < text.length; length++) {
    await assert.rejects(decode([text.slice(0, length)]), /ended inside the body/);
  }
});

interface Sample {
  readonly chunks: Uint8Array[];
  readonly cuts: number[];
  readonly restingBytes: number;
}

const sample: fc.Arbitrary<Sample> = fc.record({
  chunks: fc.array(fc.uint8Array({ minLength: 1, maxLength: 600 }), { maxLength: 12 }),
  cuts: fc.array(fc.nat(8000), { maxLength: 60 }),
  restingBytes: fc.constantFrom(8, 64, 4096),
});

function piecesOf({ chunks, cuts }: Sample): { pieces: string[]; data: string } {
  const data = chunks.map(latin1);
  const encoded = data.map((text, i) =>
    `${text.length.toString(16)}${i % 3 === 1 ? ";x=y" : ""}\r\n${text}\r\n`
  );
  const text = encoded.join("") + "0\r\n" + (chunks.length % 2 ? "a: b\r\n" : "") + "\r\nnext";
  const at = [...new Set([0, ...cuts.map((cut) => Math.min(cut, text.length)), text.length])]
    .sort((a, b) => a - b);
  const pieces = at.slice(1).map((end, i) => text.slice(at[i], end));
  return { pieces, data: data.join("") };
}

Deno.test("any bytes in any chunks, split anywhere, are the same body", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  // deno-lint-ignore no-console -- so that a failure can be repeated
  console.log(`seed ${seed}`);
  const property = fc.asyncProperty(sample, async (sample) => {
    const { pieces, data } = piecesOf(sample);
    assert.deepEqual(await decode(pieces, sample.restingBytes), { data, rest: "next" });
  });
  await fc.assert(property, { seed, numRuns: 300 });
});

/** Counts how often the reader's bytes are looked at, and how many of them. */
function counted(reader: ConnectionReader): { bytes: number; calls: number } {
  const count = { bytes: 0, calls: 0 };
  const decode = reader.decode.bind(reader);
  reader.decode = (use) =>
    decode((buffer, start, end) => {
      const stop = use(buffer, start, end);
      count.calls++;
      count.bytes += stop - start;
      return stop;
    });
  return count;
}

Deno.test("tiny chunks: every byte is looked at once, and pieces do not multiply", async () => {
  for (const chunks of [10_000, 100_000]) {
    const text = bytes("1\r\nx\r\n".repeat(chunks) + "0\r\n\r\n");
    const reader = readerOf([text]);
    const count = counted(reader);
    const body = bodyReader(reader, "chunked", () => {});
    let pieces = 0;
    let length = 0;
    for (let bytes; (bytes = await body.read()) !== null; pieces++) length += bytes.byteLength;
    assert.equal(length, chunks);
    assert.equal(count.bytes, text.byteLength);
    assert.ok(count.calls < text.byteLength / 1000, `${count.calls} calls`);
    assert.ok(pieces < text.byteLength / 1000, `${pieces} pieces`);
  }
});

Deno.test("data is moved together in place: no buffer for each chunk", async () => {
  const reader = readerOf(["1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n"]);
  await reader.fill();
  const decoder = new ChunkDecoder();
  const data = decoder.next(reader)!;
  assert.equal(latin1(data), "abcdef");
  assert.equal(data.buffer, reader.bytesBetween(0, 1).buffer);
  assert.ok(decoder.done);
});
