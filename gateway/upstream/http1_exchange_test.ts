/** What a connection does at moments that real ones reach by chance. */
import assert from "node:assert/strict";
import { BytesSource } from "../http1/byte_source.ts";
import { Abort } from "./abort.ts";
import {
  defaultDialing,
  defaultLimits,
  outcome,
  pause,
  Pieces,
  request,
  silent,
} from "./conformance/rig.ts";
import { ConnectionPool } from "./connection_pool.ts";
import { exchange } from "./http1_exchange.ts";
import { Http1Transport } from "./http1_transport.ts";
import { bytes, latin1, rawBackend, readHead, send } from "./raw_sockets.ts";
import { UpstreamFailure } from "./transport.ts";
import { UpstreamConnection } from "./upstream_connection.ts";

const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/** A connection whose backend says this soon, and no more; `write` decides about what is sent. */
function connectionThatSays(text: string, write: (sent: string) => Promise<void>) {
  const closed = Promise.withResolvers<never>();
  closed.promise.catch(() => {});
  let said = false;
  const fake = {
    async read(into: Uint8Array) {
      if (said) return await closed.promise;
      said = true;
      await Promise.race([closed.promise, pause()]);
      into.set(bytes(text));
      return text.length;
    },
    async write(sent: Uint8Array) {
      await write(latin1(sent));
      return sent.byteLength;
    },
    close: () => closed.reject(new Deno.errors.Interrupted("closed")),
  };
  let places = 1;
  const connection = new UpstreamConnection(fake as unknown as Deno.Conn, () => places--);
  return { connection, places: () => places };
}

function pool(): ConnectionPool {
  return new ConnectionPool("http://127.0.0.1:1", defaultLimits, defaultDialing);
}

const broken = () => Promise.reject(new Deno.errors.BrokenPipe("broken"));

Deno.test("a reply that is there counts although the request cannot be written any more", async () => {
  for (const body of [null, new BytesSource(bytes("x"))]) {
    const { connection, places } = connectionThatSays(ok, broken);
    const reply = await exchange(connection, request("http://h", { method: "POST", body }), pool());
    assert.equal(latin1(reply.body!.take()!), "ok");
    await pause();
    assert.equal(places(), 0, "the connection is of no more use, and gives its place back");
  }
});

Deno.test("an upload that fails is told so while the reply goes on", async () => {
  const long = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok";
  const { connection, places } = connectionThatSays(long, (sent) => {
    return sent.endsWith("x\r\n") ? broken() : Promise.resolve();
  });
  const body = new Pieces(["x"], undefined, silent);
  const reply = await exchange(connection, request("http://h", { method: "POST", body }), pool());
  assert.ok(await body.cancelled instanceof Deno.errors.BrokenPipe);
  assert.equal(latin1((await reply.body!.read())!), "ok");
  assert.equal(places(), 1);
  reply.body!.cancel("not wanted");
  assert.equal(places(), 0);
});

Deno.test("a reply gets through although its backend has closed in the middle of the upload", async () => {
  await using backend = rawBackend(
    "HTTP/1.1 403 x\r\ncontent-length: 2\r\n\r\nno",
    { read: readHead },
  );
  const transport = new Http1Transport(defaultLimits, defaultDialing);
  for (let count = 0; count < 20; count++) {
    const body = new Pieces([], undefined);
    const piece = new Uint8Array(64 * 1024);
    body.read = () => Promise.resolve(piece);
    assert.equal(await outcome(transport, backend.url, { method: "POST", body }), "403 no");
    await body.cancelled;
  }
  transport.close();
});

Deno.test("the source of an upload is told the failure that the caller is told", async () => {
  for (const text of ["SSH-2.0-x\r\n\r\n", ""]) {
    const { connection } = connectionThatSays(text, () => Promise.resolve());
    // There is nothing more of it.
    if (text === "") setTimeout(() => connection.close(), 5);
    const body = new Pieces(["x"], undefined, silent);
    const sending = exchange(connection, request("http://h", { method: "POST", body }), pool());
    const failure = await sending.catch((error) => error);
    assert.ok(failure instanceof UpstreamFailure);
    assert.equal(await body.cancelled, failure);
  }
});

Deno.test("the last bytes of an upload fail after the reply has ended", async () => {
  const ended = Promise.withResolvers<void>();
  const { connection, places } = connectionThatSays(ok, async (sent) => {
    if (!sent.endsWith("0\r\n\r\n")) return;
    await ended.promise;
    await broken();
  });
  const body = new Pieces(["x"], undefined);
  const reply = await exchange(connection, request("http://h", { method: "POST", body }), pool());
  assert.equal(latin1((await reply.body!.read())!), "ok");
  await pause();
  assert.equal(await reply.body!.read(), null);
  assert.equal(places(), 1, "the upload may still end well");
  ended.resolve();
  await pause();
  assert.equal(places(), 0);
});

Deno.test("the connection is free when the last bytes of the upload are out, after the reply", async () => {
  const ended = Promise.withResolvers<void>();
  const { connection, places } = connectionThatSays(ok, async (sent) => {
    if (sent.endsWith("0\r\n\r\n")) await ended.promise;
  });
  const free = pool();
  const body = new Pieces(["x"], undefined);
  const reply = await exchange(connection, request("http://h", { method: "POST", body }), free);
  await reply.body!.read();
  await pause();
  await reply.body!.read();
  assert.equal(free.takeIdle(false), undefined);
  ended.resolve();
  await pause();
  assert.equal(free.takeIdle(false), connection);
  assert.equal(places(), 1);
});

Deno.test("an abort at the moment of the end: the connection is not used again", async () => {
  const { connection, places } = connectionThatSays(ok, () => Promise.resolve());
  const free = pool();
  const abort = new Abort();
  const reply = await exchange(connection, request("http://h", { abort }), free);
  await pause();
  reply.body!.take();
  abort.abort("enough");
  for (let turn = 0; turn < 8; turn++) {
    assert.equal(free.takeIdle(false), undefined);
    await null;
  }
  assert.equal(places(), 0);
});

Deno.test("a body that was taken is not overwritten by what the backend sends after it", async () => {
  const rest = Promise.withResolvers<void>();
  await using backend = rawBackend(async (connection) => {
    await send(connection, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
    await rest.promise;
    await send(connection, "x".repeat(1000));
  });
  const transport = new Http1Transport(defaultLimits, defaultDialing);
  const reply = await transport.send(request(backend.url));
  rest.resolve();
  await pause(20);
  // Taking it makes the connection idle, which begins a read.
  const taken = reply.body!.take()!;
  assert.equal(latin1(taken), "hello");
  await backend.clientClosed;
  transport.close();
});

Deno.test("a body at hand that is not as long as it says is not sent", async () => {
  for (const text of ["hell", "hello world"]) {
    const sent: string[] = [];
    const { connection, places } = connectionThatSays("", (text) => (sent.push(text), pause()));
    const body = new BytesSource(bytes(text));
    Object.defineProperty(body, "length", { value: 5 });
    const sending = exchange(connection, request("http://h", { method: "POST", body }), pool());
    await assert.rejects(sending, { code: "upstream_reset" });
    assert.deepEqual([sent, places()], [[], 0]);
  }
});
