import assert from "node:assert/strict";
import { Abort } from "./abort.ts";
import { defaultDialing, defaultLimits, outcome, pause, request } from "./conformance/rig.ts";
import { dial, type DialSettings } from "./dial.ts";
import { Http1Transport } from "./http1_transport.ts";
import { closedPort, hangUp, type Listening, listenOn, rawBackend, send } from "./raw_sockets.ts";
import { TestAuthority } from "./test_authority.ts";

const reply = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const unreachable = "upstream_unreachable sent:no";

async function outcomeOf(
  origin: string,
  dialing: Partial<DialSettings> = {},
  limits: Partial<typeof defaultLimits> = {},
): Promise<string> {
  const transport = new Http1Transport(
    { ...defaultLimits, ...limits },
    { ...defaultDialing, ...dialing },
  );
  try {
    return await outcome(transport, origin);
  } finally {
    transport.close();
  }
}

/** Dials, and tells when nothing is left of a failed attempt. */
function attempt(origin: string, connectMs: number, abort = new Abort()) {
  const { promise: gone, resolve: onGone } = Promise.withResolvers<void>();
  return { dialed: dial(origin, { connectMs, caCerts: [] }, abort, onGone), gone };
}

/** A listener whose queue of connections is full: it answers nobody who comes later. */
async function fullListener() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
  const { port } = listener.addr;
  const open: Deno.Conn[] = [];
  for (;;) {
    const connecting = Deno.connect({ hostname: "127.0.0.1", port });
    const connection = await Promise.race([connecting, pause(100)]);
    if (connection === undefined) {
      connecting.then(hangUp, () => {});
      break;
    }
    open.push(connection);
  }
  return {
    origin: `http://127.0.0.1:${port}`,
    [Symbol.dispose]() {
      for (const connection of open) connection.close();
      listener.close();
    },
  };
}

Deno.test("dial: who does not answer is given up, and not tried any more", async () => {
  using full = await fullListener();
  const late = attempt(full.origin, 50);
  await assert.rejects(late.dialed, { code: "upstream_timeout", sent: "no" });
  await late.gone;
  const abort = new Abort();
  const aborted = attempt(full.origin, 60_000, abort);
  abort.abort("enough");
  await assert.rejects(aborted.dialed, (reason) => reason === "enough");
  await aborted.gone;
});

Deno.test("dial: an abort counts more than a failure at the same moment", async () => {
  const abort = new Abort();
  const { dialed, gone } = attempt(`http://127.0.0.1:${closedPort()}`, 60_000, abort);
  abort.abort("enough");
  await assert.rejects(dialed, (reason) => reason === "enough");
  await gone;
});

Deno.test("dial: by name, by IPv6 address, and on one address of a name", async () => {
  for (const hostname of ["127.0.0.1", ...(hasIpv6() ? ["::1"] : [])]) {
    await using backend = rawBackend(reply, { listening: listenOn(hostname) });
    assert.equal(await outcomeOf(backend.url), "200 ok");
  }
  await using backend = rawBackend(reply);
  // On machines where the name stands for ::1 as well, that one refuses.
  const { port } = new URL(backend.url);
  assert.equal(await outcomeOf(`http://localhost:${port}`), "200 ok");
  assert.equal(await outcomeOf(`http://[::1]:${closedPort()}`), unreachable);
});

Deno.test("TLS: the authority that was named, the name that was asked for", async () => {
  await using authority = await TestAuthority.create();
  await using stranger = await TestAuthority.create();
  const { cert } = authority;
  const cases: [subject: string, host: string, caCerts: string[], expected: string][] = [
    ["IP:127.0.0.1", "127.0.0.1", [cert], "200 ok"],
    ["IP:127.0.0.1", "127.0.0.1", [stranger.cert, cert], "200 ok"],
    ["IP:127.0.0.1", "127.0.0.1", [stranger.cert + cert], "200 ok"],
    ["DNS:localhost", "localhost", [cert], "200 ok"],
    ["IP:127.0.0.1", "127.0.0.1", [], unreachable],
    ["IP:127.0.0.1", "127.0.0.1", [stranger.cert], unreachable],
    ["DNS:localhost", "127.0.0.1", [cert], unreachable],
    ["DNS:other.test", "localhost", [cert], unreachable],
  ];
  for (const [subject, host, caCerts, expected] of cases) {
    const listening = await listenTls(authority, subject, host);
    await using backend = rawBackend(reply, { listening });
    const what = `${subject} at ${host} with ${caCerts.length} authorities`;
    assert.equal(await outcomeOf(backend.url, { caCerts }), expected, what);
    assert.equal(backend.requests.length, expected === unreachable ? 0 : 1, what);
  }
  if (!hasIpv6()) return;
  const listening = await listenTls(authority, "IP:::1", "::1");
  await using backend = rawBackend(reply, { listening });
  assert.equal(await outcomeOf(backend.url, { caCerts: [cert] }), "200 ok");
});

Deno.test("TLS: connections are kept, long bodies are whole", async () => {
  await using authority = await TestAuthority.create();
  const listening = await listenTls(authority, "IP:127.0.0.1", "127.0.0.1");
  const long = "x".repeat(3_000_000);
  let text = reply;
  await using backend = rawBackend((connection) => send(connection, text), { listening });
  const transport = new Http1Transport(defaultLimits, {
    ...defaultDialing,
    caCerts: [authority.cert],
  });
  assert.equal(await outcome(transport, backend.url), "200 ok");
  text = `HTTP/1.1 200 OK\r\ncontent-length: ${long.length}\r\n\r\n${long}`;
  assert.ok(await outcome(transport, backend.url) === `200 ${long}`);
  assert.equal(backend.connections, 1);
  transport.close();
  await backend.clientClosed;
});

Deno.test("TLS: a body up to the end of the connection is not cut off by whoever is in between", async () => {
  await using authority = await TestAuthority.create();
  const listening = await listenTls(authority, "IP:127.0.0.1", "127.0.0.1");
  const long = "x".repeat(300_000);
  await using backend = rawBackend(`HTTP/1.1 200 OK\r\n\r\n${long}`, { listening });
  const dialing = { caCerts: [authority.cert] };
  assert.ok(await outcomeOf(backend.url, dialing) === `200 ${long}`);
  await using cut = await relay(backend.url, 100_000);
  assert.equal(await outcomeOf(cut.origin, dialing), "200 <broken>");
});

Deno.test("TLS: a connection that comes too late is closed, and nothing is sent on it", async () => {
  await using authority = await TestAuthority.create();
  const listening = await listenTls(authority, "IP:127.0.0.1", "127.0.0.1");
  await using backend = rawBackend(reply, { listening });
  await using slow = await relay(backend.url, Infinity, 150);
  const dialing = { caCerts: [authority.cert], connectMs: 50 };
  assert.equal(await outcomeOf(slow.origin, dialing), "upstream_timeout sent:no");
  await backend.clientClosed;
  assert.deepEqual([backend.connections, backend.requests.length], [1, 0]);
});

Deno.test("TLS: whoever speaks none is not reached, and sees no request", async () => {
  await using plain = rawBackend(reply, { read: async () => (await pause(), "") });
  assert.equal(await outcomeOf(plain.url.replace("http:", "https:")), unreachable);
  // The other way round it is an answer that is no HTTP.
  await using authority = await TestAuthority.create();
  const listening = await listenTls(authority, "IP:127.0.0.1", "127.0.0.1");
  await using backend = rawBackend(reply, { listening });
  assert.match(await outcomeOf(backend.url.replace("https:", "http:")), /^upstream_.* sent:maybe$/);
});

Deno.test("TLS: a handshake without end keeps its place until the backend ends it", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const origin = `https://127.0.0.1:${listener.addr.port}`;
  const limits = { ...defaultLimits, maxConnections: 1, maxWaiting: 0 };
  const transport = new Http1Transport(limits, { connectMs: 100, caCerts: [] });
  assert.equal(await outcome(transport, origin), "upstream_timeout sent:no");
  assert.equal(await outcome(transport, origin), "upstream_busy sent:no", "dialed only once");
  (await listener.accept()).close();
  // The place comes back when the end has been noticed.
  let last: string;
  do {
    await pause(5);
    last = await outcome(transport, origin);
  } while (last === "upstream_busy sent:no");
  assert.equal(last, "upstream_timeout sent:no");
  listener.close();
  transport.close();
});

Deno.test("the time for a connection is not the time for a reply", async () => {
  await using backend = rawBackend(async (connection) => {
    await pause(150);
    await send(connection, reply);
  });
  const transport = new Http1Transport(defaultLimits, { connectMs: 100, caCerts: [] });
  const { status, body } = await transport.send(request(backend.url));
  assert.equal(status, 200);
  body!.cancel(new Error("not wanted"));
  transport.close();
});

/** @param host under which its origin names it: an IP address or `localhost` */
async function listenTls(
  authority: TestAuthority,
  subject: string,
  host: string,
): Promise<Listening> {
  const hostname = host === "localhost" ? "127.0.0.1" : host;
  const certificate = await authority.issue(subject);
  const listener = Deno.listenTls({ hostname, port: 0, ...certificate });
  const name = host.includes(":") ? `[${host}]` : host;
  return { listener, origin: `https://${name}:${listener.addr.port}` };
}

/** Passes bytes to and from a backend, up to so many that come from it, after a while. */
async function relay(to: string, maxBytes: number, delayMs = 0) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const backend = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(to).port) });
  const relaying = (async () => {
    using client = await listener.accept();
    await pause(delayMs);
    const sending = client.readable.pipeTo(backend.writable).catch(() => {});
    const buffer = new Uint8Array(16 * 1024);
    for (let left = maxBytes; left > 0;) {
      const count = await backend.read(buffer);
      if (count === null) break;
      await client.write(buffer.subarray(0, count));
      left -= count;
    }
    hangUp(backend);
    await client.closeWrite();
    await sending;
  })().catch(() => {});
  return {
    origin: `https://127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await relaying;
    },
  };
}

function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}
