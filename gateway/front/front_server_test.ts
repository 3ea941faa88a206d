/** How many connections there are, and how they end. */
import assert from "node:assert/strict";
import { FrontRig, get, ok } from "./front_rig.ts";
import { emptyReply } from "./reply.ts";

/** Answers `/hold` only when it is let go. */
function holding(settings: ConstructorParameters<typeof FrontRig>[1] = {}) {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const rig = new FrontRig(async ({ target }) => {
    if (target === "/hold") await released;
    return ok(target);
  }, settings);
  return { rig, release };
}

/** A client whose connection the front has, because it has answered on it. */
async function known(rig: FrontRig) {
  const client = await rig.sending(get());
  assert.notEqual((await client.reply()).status, 503);
  return client;
}

Deno.test("with as many connections as there may be, the one that waits longest is given up", async () => {
  await using rig = new FrontRig(() => ok(), { maxConnections: 3 });
  const clients = [];
  for (let i = 0; i < 3; i++) {
    clients.push(await known(rig));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  // Used again, the first one is not the oldest any more.
  await clients[0]!.send(get());
  await clients[0]!.reply();
  const fourth = await known(rig);
  assert.equal(await clients[1]!.rest(), "");
  for (const client of [clients[0]!, clients[2]!, fourth]) {
    await client.send(get());
    assert.equal((await client.reply()).status, 200);
  }
  assert.equal(rig.server.connections, 3);
});

Deno.test("who is given up before anything was asked is told why, and nothing is served any more", async () => {
  await using rig = new FrontRig(() => ok(), { maxConnections: 1 });
  for (const text of ["", "GET / HT"]) {
    const first = await rig.sending(text);
    while (rig.server.connections === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const second = await known(rig);
    // What it asks now crosses the reply on its way.
    await first.send("TP/1.1\r\nhost: a\r\n\r\n" + get("/late"));
    assert.match(
      await first.rest(),
      /^HTTP\/1\.1 503 [^]*\r\nconnection: close\r\n[^]*overloaded"[^]*\}\n$/,
    );
    second[Symbol.dispose]();
    await rig.emptied();
  }
  assert.deepEqual(rig.received.map(({ target }) => target), ["/", "/"]);
});

Deno.test("a header that is not complete is given up as well, and a body that nobody reads", async () => {
  await using rig = new FrontRig(() => emptyReply(402), { maxConnections: 1 });
  for (
    const request of [
      "GET / HT",
      "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nx",
      "none\r\n\r\n",
    ]
  ) {
    const slow = await rig.sending(request);
    if (request !== "GET / HT") await slow.reply();
    const other = await known(rig);
    await slow.rest();
    other[Symbol.dispose]();
    await rig.emptied();
  }
});

Deno.test("when all are busy, others get 503 with Retry-After, which no reset takes from them", async () => {
  const { rig, release } = holding({ maxConnections: 2 });
  await using _ = rig;
  const busy = [await rig.sending(get("/hold")), await rig.sending(get("/hold"))];
  await rig.request(1);
  for (let i = 0; i < 5; i++) {
    const client = await rig.sending("POST / HTTP/1.1\r\ncontent-length: 9000000\r\n\r\n");
    for (let piece = 0; piece < 9; piece++) await client.send("x".repeat(1_000_000));
    const { status, head, body } = await client.reply();
    assert.equal(status, 503);
    assert.match(head, /^retry-after: 5\r$/m);
    assert.match(head, /^connection: close\r$/m);
    assert.equal(JSON.parse(body).error, "overloaded");
    assert.equal(await client.rest(), "");
  }
  assert.equal(rig.server.connections, 2);
  release();
  for (const client of busy) assert.equal((await client.reply()).body, "/hold");
  assert.equal((await (await rig.sending(get("/free"))).reply()).body, "/free");
});

Deno.test("those who were turned away and do not leave take no place, and are cut off", async () => {
  const { rig, release } = holding({ maxConnections: 1, lingerMs: 1_000 });
  await using _ = rig;
  const busy = await rig.sending(get("/hold"));
  await rig.request(0);
  const before = openFiles();
  const away = await Promise.all(Array.from({ length: 1_100 }, () => rig.connect()));
  const replies = await Promise.all(away.map((client) => client.rest()));
  const told = replies.filter((reply) => reply.startsWith("HTTP/1.1 503 ")).length;
  // The others are closed without a word: no more may linger.
  assert.ok(told >= 1_024 && told < 1_100, `${told} were told why`);
  assert.equal(rig.server.connections, 1);
  // Only the clients' ends are left, or a few more of what else goes on in this process.
  while (openFiles() > before + away.length + 50) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  release();
  await busy.reply();
  await known(rig);
});

/** Of this process; 0 where the system does not tell. */
function openFiles(): number {
  if (Deno.build.os !== "linux") return 0;
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

Deno.test("draining: what is idle is closed at once, what is busy ends, nothing new comes", async () => {
  const { rig, release } = holding();
  await using _ = rig;
  const idle = await known(rig);
  const fresh = await rig.connect();
  const busy = await rig.sending(get("/hold"));
  const halfway = await rig.sending("GET /half");
  await rig.request(1);
  // Until the front has seen all four.
  while (rig.server.connections < 4) await new Promise((resolve) => setTimeout(resolve, 5));
  await new Promise((resolve) => setTimeout(resolve, 20));
  const drained = rig.drain(5_000);
  assert.equal(await idle.rest(), "");
  assert.equal(await fresh.rest(), "");
  await assert.rejects(rig.connect(), Deno.errors.ConnectionRefused);
  await halfway.send(" HTTP/1.1\r\nhost: a\r\n\r\n");
  assert.match(await halfway.rest(), /\r\nconnection: close\r\n\r\n\/half$/);
  release();
  assert.match(await busy.rest(), /\r\nconnection: close\r\n\r\n\/hold$/);
  assert.equal(await drained, true, "although its clients do not close their end");
});

Deno.test("draining ends at once when there is no connection", async () => {
  await using rig = new FrontRig(() => ok());
  assert.equal(await rig.drain(60_000), true);
});

Deno.test("draining cuts off what has not ended in time", async () => {
  const { rig, release } = holding();
  await using _ = rig;
  // Of the second one nothing is read while it is served, because more has come already.
  const busy = [await rig.sending(get("/hold")), await rig.sending(get("/hold") + get("/next"))];
  const requests = [await rig.request(0), await rig.request(1)];
  assert.equal(await rig.drain(50), false);
  for (const client of busy) await client.rest();
  assert.deepEqual(requests.map(({ gone }) => gone), [true, true]);
  release();
});

Deno.test("clients are sent elsewhere with their next reply, new ones as well", async () => {
  const { rig, release } = holding();
  await using _ = rig;
  const idle = await known(rig);
  const busy = await rig.sending(get("/hold"));
  await rig.request(1);
  rig.server.sendElsewhere();
  release();
  for (const client of [busy, idle, await rig.connect()]) {
    if (client !== busy) await client.send(get("/hold"));
    assert.match(await client.rest(), /\r\nconnection: close\r\n\r\n\/hold$/);
  }
});

Deno.test("an address that is taken is named", async () => {
  await using rig = new FrontRig(() => ok());
  const { port } = rig.server.address;
  const again = () => new FrontRig(() => ok(), {}, port);
  assert.throws(again, new RegExp(`cannot listen on 127\\.0\\.0\\.1:${port}: `));
});

Deno.test("what clients do wrong does not end the front", async () => {
  await using rig = new FrontRig(() => ok());
  for (
    const text of ["", "\r\n", "GET", "x\r\n\r\n", get(), get().repeat(100), "\0".repeat(100_000)]
  ) {
    for (let i = 0; i < 20; i++) {
      const client = await rig.sending(text);
      client[Symbol.dispose]();
    }
  }
  await rig.emptied();
  await known(rig);
  assert.deepEqual(rig.log, []);
});
