import assert from "node:assert/strict";
import fc from "fast-check";
import { KubeError } from "./kube_error.ts";
import { watchEvents } from "./watch_stream.ts";

const never = new AbortController().signal;

Deno.test("events are whole, wherever the bytes were cut", async () => {
  const text = fc.string({ unit: "binary", maxLength: 20 });
  await fc.assert(fc.asyncProperty(
    fc.array(text, { maxLength: 8 }),
    fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 }),
    async (names, sizes) => {
      const bytes = encode(names.map((name) => event(name) + "\n").join(""));
      assert.deepEqual(await namesIn(stream(cut(bytes, sizes))), names);
    },
  ));
});

Deno.test("a line of many megabytes costs no more than its length", async () => {
  const name = "ü".repeat(8_000_000);
  const bytes = encode(event(name) + "\n");
  const started = performance.now();
  assert.deepEqual(await namesIn(stream(cut(bytes, [1000]))), [name]);
  assert.ok(performance.now() - started < 3000, `${performance.now() - started} ms`);
});

Deno.test("half an event at the end is dropped", async () => {
  const bytes = encode(event("a") + "\n" + event("b").slice(0, -4));
  assert.deepEqual(await namesIn(stream([bytes])), ["a"]);
});

const noEvents: readonly [what: string, line: string, status: number, message: RegExp][] = [
  ["not JSON", "<html>Bad Gateway</html>", 0, /an event .* expected, found: <html>Bad Gateway/],
  ["no event", "[]", 0, /found: \[\]$/],
  ["an object without a version", '{"type":"ADDED","object":{"metadata":{}}}', 0, /is expected/],
  ["an empty line", "", 0, /found: \(empty\)/],
  [
    "an ERROR",
    '{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}',
    410,
    /^WATCH \/x: 410 too old$/,
  ],
  ["an ERROR that says nothing", '{"type":"ERROR"}', 500, /500 the watch failed/],
];

for (const [what, line, status, message] of noEvents) {
  Deno.test(`${what} ends a watch with an error, after what came before it`, async () => {
    const read: string[] = [];
    const failed = (async () => {
      const body = stream([encode(`${event("a")}\n${line}\n`)]);
      for await (const { object } of watchEvents("WATCH /x", body, never)) {
        read.push(object.metadata.name);
      }
    })();
    await assert.rejects(failed, (error: unknown) => {
      assert.ok(error instanceof KubeError);
      assert.match(error.message, message);
      assert.equal(error.status, status);
      return true;
    });
    assert.deepEqual(read, ["a"]);
  });
}

Deno.test("abort ends a silent watch at once, and without an error", async () => {
  const abort = new AbortController();
  const cancelled = Promise.withResolvers<void>();
  const body = new ReadableStream({ type: "bytes", cancel: () => cancelled.resolve() });
  const next = watchEvents("WATCH /x", body, abort.signal).next();
  abort.abort();
  assert.equal((await next).done, true);
  await cancelled.promise;
});

Deno.test("the connection is closed by an early abort, and by leaving early", async () => {
  const ways = {
    async abortedBefore(body: ReadableStream) {
      const events = watchEvents("WATCH /x", body, AbortSignal.abort());
      assert.equal((await events.next()).done, true);
    },
    async aborted(body: ReadableStream) {
      const abort = new AbortController();
      const events = watchEvents("WATCH /x", body, abort.signal);
      abort.abort();
      assert.equal((await events.next()).done, true);
    },
    async left(body: ReadableStream) {
      for await (const _ of watchEvents("WATCH /x", body, never)) break;
    },
  };
  for (const way of Object.values(ways)) {
    const cancelled = Promise.withResolvers<void>();
    await way(
      new ReadableStream({
        type: "bytes",
        start: (controller) => controller.enqueue(encode(event("a") + "\n")),
        cancel: () => cancelled.resolve(),
      }),
    );
    await cancelled.promise;
  }
});

function event(name: string): string {
  return JSON.stringify({ type: "ADDED", object: { metadata: { name, resourceVersion: "1" } } });
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Pieces of these sizes, again and again. */
function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array<ArrayBuffer>[] {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const size = sizes[n % sizes.length]!;
    pieces.push(bytes.slice(at, at += size));
  }
  return pieces;
}

/** As the body of a reply is one. */
function stream(pieces: Iterable<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array> {
  const rest = Iterator.from(pieces);
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      const { done, value } = rest.next();
      if (!done) return controller.enqueue(value);
      controller.close();
      controller.byobRequest?.respond(0);
    },
  });
}

async function namesIn(body: ReadableStream<Uint8Array>): Promise<string[]> {
  const events = await Array.fromAsync(watchEvents("WATCH /x", body, never));
  return events.map(({ object }) => object.metadata.name);
}
