import assert from "node:assert/strict";
import { EventLag } from "./event_lag.ts";

/** The lags from now on, each when it is told. */
function measure(connect?: ConstructorParameters<typeof EventLag>[1]) {
  const waiting: ((lagMs: number) => void)[] = [];
  const lag = new EventLag((lagMs) => waiting.shift()?.(lagMs), connect);
  return {
    next: () => new Promise<number>((resolve) => waiting.push(resolve)),
    [Symbol.asyncDispose]: () => lag.close(),
  };
}

/** What one end has sent the other one reads so much later, in ms. */
function slowConnection(ms: number): ConstructorParameters<typeof EventLag>[1] {
  let end: (bytes: number | null) => void = () => {};
  const near = {
    write(bytes: Uint8Array) {
      setTimeout(() => end(bytes.length), ms);
      return Promise.resolve(bytes.length);
    },
    read: () => Promise.resolve(null),
    close: () => end(null),
  };
  const far = { ...near, read: () => new Promise<number | null>((resolve) => end = resolve) };
  return () => Promise.resolve([near, far]);
}

function block(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

Deno.test("a process that keeps up is not late", async () => {
  await using lag = measure();
  const lags = [];
  for (let i = 0; i < 5; i++) lags.push(await lag.next());
  // Of a machine that is busy with something else some may be.
  assert.ok(Math.min(...lags) < 50, `${lags}`);
});

Deno.test("a thread that was busy makes the timer late", async () => {
  await using lag = measure();
  await lag.next();
  const next = lag.next();
  block(400);
  assert.ok(await next >= 250, `${await next}`);
});

Deno.test("one interruption is told once", async () => {
  await using lag = measure();
  await lag.next();
  const lags = [lag.next(), lag.next(), lag.next()];
  block(1_000);
  const late = (await Promise.all(lags)).filter((lagMs) => lagMs >= 500);
  assert.equal(late.length, 1, `${await Promise.all(lags)}`);
});

Deno.test("sockets that are not read in time count, although the timer is on time", async () => {
  // As if thousands of other sockets came first.
  await using lag = measure(slowConnection(350));
  const lags = [];
  for (let i = 0; i < 8; i++) lags.push(await lag.next());
  assert.ok(Math.max(...lags) >= 200, `${lags}`);
});

Deno.test("it can be closed before it has begun", async () => {
  const lag = measure();
  await lag[Symbol.asyncDispose]();
});

Deno.test("where there is no loopback interface, the timer has to do", async () => {
  await using lag = measure(() => Promise.reject(new Deno.errors.AddrNotAvailable("lo")));
  await lag.next();
  const next = lag.next();
  block(400);
  assert.ok(await next >= 250, `${await next}`);
});

Deno.test("a connection that breaks makes nobody late for ever", async () => {
  let broken = () => {};
  const connection = {
    write: (bytes: Uint8Array) => Promise.resolve(bytes.length),
    read: () => new Promise<null>((resolve) => broken = () => resolve(null)),
    close() {},
  };
  await using lag = measure(() => Promise.resolve([connection, connection]));
  for (let i = 0; i < 4; i++) await lag.next();
  assert.ok(await lag.next() >= 200);
  broken();
  await lag.next();
  const lags = [await lag.next(), await lag.next(), await lag.next()];
  assert.ok(Math.min(...lags) < 100, `${lags}`);
});
