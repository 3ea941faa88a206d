/** Connections that speak something else than HTTP after a 101. */
import assert from "node:assert/strict";
import { HeaderFields } from "../http1/header_fields.ts";
import { bytes, latin1 } from "../upstream/raw_sockets.ts";
import { FrontRig, get } from "./front_rig.ts";
import type { FrontSettings } from "./front_settings.ts";
import { type Delivery, Reply } from "./reply.ts";

const handshake = get("/", "upgrade: x", "connection: upgrade");

/** A backend whose bytes the test sends, and that keeps what it is sent. */
function setUp(settings: Partial<FrontSettings> = {}) {
  const toClient: (string | null)[] = [];
  let wake: (() => void) | undefined;
  const backend = { received: "", closed: Promise.withResolvers<void>() };
  const deliveries: Delivery[] = [];
  const upgraded = {
    async read() {
      while (toClient.length === 0) await new Promise<void>((resolve) => wake = resolve);
      const text = toClient.shift()!;
      return text === null ? null : bytes(text);
    },
    write(piece: Uint8Array) {
      backend.received += latin1(piece);
      return Promise.resolve();
    },
    close: () => backend.closed.resolve(),
  };
  const headers = HeaderFields.of([["upgrade", "x"], ["connection", "upgrade"]]);
  const onEnd = (delivery: Delivery) => deliveries.push(delivery);
  const rig = new FrontRig(
    () => new Reply({ status: 101, headers, body: null, upgraded, onEnd }),
    settings,
  );
  return {
    rig,
    backend,
    deliveries,
    /** null ends the backend's side. */
    send(text: string | null) {
      toClient.push(text);
      wake?.();
    },
  };
}

Deno.test("bytes go both ways, those that came with the handshake as well", async () => {
  const { rig, backend, deliveries, send } = setUp();
  await using _ = rig;
  const client = await rig.sending(handshake + "early ");
  const { head } = await client.reply();
  assert.match(
    head,
    /^HTTP\/1\.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n/,
  );
  assert.doesNotMatch(head, /content-length|close|transfer-encoding/);
  await client.send("late");
  send("from the backend");
  await client.closeWrite();
  await backend.closed.promise;
  assert.equal(backend.received, "early late");
  assert.match(await client.rest(), /^from the backend/);
  assert.deepEqual(deliveries, ["delivered"]);
  assert.equal(rig.received.length, 1);
});

Deno.test("when the backend ends, so does the client's connection", async () => {
  const { rig, backend, send } = setUp();
  await using _ = rig;
  const client = await rig.sending(handshake);
  await client.reply();
  send("bye");
  send(null);
  assert.equal(await client.rest(), "bye");
  await backend.closed.promise;
});

Deno.test("a silent tunnel is closed, one in which something moves is not", async () => {
  const { rig, backend, send } = setUp({ idleMs: 200, headMs: 50, keepAliveMs: 50 });
  await using _ = rig;
  const client = await rig.sending(handshake);
  await client.reply();
  // Either side alone keeps it open.
  for (const move of [() => send("y"), () => client.send("x")]) {
    for (let i = 0; i < 6; i++) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      await move();
    }
  }
  assert.equal(await client.rest(), "yyyyyy");
  await backend.closed.promise;
  assert.equal(backend.received, "xxxxxx");
});

Deno.test("for a client that has left no tunnel is opened, and the backend is told", async () => {
  const { rig, backend, deliveries } = setUp();
  await using _ = rig;
  const client = await rig.sending(handshake);
  const request = await rig.request(0);
  request.markGone();
  await backend.closed.promise;
  assert.equal(await client.rest(), "");
  assert.deepEqual(deliveries, ["aborted"]);
});

Deno.test("draining cuts a tunnel when the time is over", async () => {
  const { rig, backend } = setUp();
  await using _ = rig;
  const client = await rig.sending(handshake);
  await client.reply();
  assert.equal(await rig.drain(50), false);
  await backend.closed.promise;
  await client.rest();
});
