import assert from "node:assert/strict";
import { FetchTransport } from "./fetch_transport.ts";
import { type Answer, bytes, rawBackend } from "./raw_sockets.ts";
import { UpstreamFailure, type UpstreamRequest } from "./transport.ts";

function request(url: string, parts: Partial<UpstreamRequest> = {}): UpstreamRequest {
  const signal = new AbortController().signal;
  return { method: "GET", url, headers: [["host", "h"]], body: null, once: true, signal, ...parts };
}

/** Runs the test with a transport that is closed at its end. */
async function withTransport<T>(test: (transport: FetchTransport) => Promise<T>): Promise<T> {
  const transport = new FetchTransport();
  try {
    return await test(transport);
  } finally {
    transport.close();
  }
}

/** `code/sent` of the failure, or the status and the body. */
function outcome(url: string, parts: Partial<UpstreamRequest> = {}): Promise<string> {
  return withTransport(async (transport) => {
    try {
      const response = await transport.send(request(url, parts));
      return `${response.status} ${await response.text()}`;
    } catch (error) {
      if (!(error instanceof UpstreamFailure)) return String(error);
      return `${error.code} sent:${error.sent}`;
    }
  });
}

function closedPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

Deno.test("nothing was sent when there was no connection", async () => {
  const unreachable = "upstream_unreachable sent:no";
  assert.equal(await outcome(`http://127.0.0.1:${closedPort()}/`), unreachable);
  assert.equal(await outcome(`https://127.0.0.1:${closedPort()}/`), unreachable);
  assert.equal(await outcome("http://no-such-host.invalid/"), unreachable);
  // A port that browsers block: fetch refuses it before it connects.
  assert.equal(await outcome("http://127.0.0.1:6000/"), unreachable);
});

Deno.test("what a broken reply means", async (t) => {
  const headers = (count: number) => "x-a: 1\r\n".repeat(count);
  const cases: [name: string, answer: Answer, outcome: string][] = [
    ["closed after the request", "", "upstream_reset sent:maybe"],
    ["head cut off", "HTTP/1.1 200 OK\r\ncontent-le", "upstream_reset sent:maybe"],
    ["only an interim reply", "HTTP/1.1 100 Continue\r\n\r\n", "upstream_reset sent:maybe"],
    ["not HTTP", "SSH-2.0-x\r\n\r\n", "upstream_invalid sent:maybe"],
    ["HTTP/2 preface", "HTTP/2.0 200 OK\r\n\r\n", "upstream_invalid sent:maybe"],
    ["header without colon", "HTTP/1.1 200 OK\r\nx\r\n\r\n", "upstream_invalid sent:maybe"],
    [
      "length not a number",
      "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
      "upstream_invalid sent:maybe",
    ],
    [
      "two lengths",
      "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
      "upstream_invalid sent:maybe",
    ],
    ["status 99", "HTTP/1.1 099 x\r\n\r\n", "upstream_invalid sent:maybe"],
    ["status 600", "HTTP/1.1 600 x\r\ncontent-length: 0\r\n\r\n", "upstream_invalid sent:maybe"],
    [
      "status 101",
      "HTTP/1.1 101 x\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
      "upstream_invalid sent:maybe",
    ],
    [
      "gzip transfer coding",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nx",
      "upstream_invalid sent:maybe",
    ],
    ["101 header lines", `HTTP/1.1 200 OK\r\n${headers(101)}\r\n`, "upstream_invalid sent:maybe"],
    ["100 header lines", `HTTP/1.1 200 OK\r\n${headers(100)}\r\nok`, "200 ok"],
    [
      "interim replies first",
      "HTTP/1.1 103 x\r\nlink: a\r\n\r\nHTTP/1.1 200 OK\r\n\r\nok",
      "200 ok",
    ],
    ["redirect", "HTTP/1.1 302 x\r\nlocation: /b\r\ncontent-length: 0\r\n\r\n", "302 "],
    [
      "body cut off",
      "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok",
      "TypeError: error reading a body from connection",
    ],
  ];
  for (const [name, answer, expected] of cases) {
    await t.step(name, async () => {
      await using backend = rawBackend(answer);
      assert.equal(await outcome(backend.url), expected);
      assert.equal(backend.requests.length, 1);
    });
  }
});

Deno.test("a connection reset before the request was read is not provably unsent", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept().then((connection) => connection.close());
  assert.equal(
    await outcome(`http://127.0.0.1:${listener.addr.port}/`),
    "upstream_reset sent:maybe",
  );
  await accepted;
});

Deno.test("an aborted call ends with the reason of the abort", async () => {
  const abort = new AbortController();
  await using backend = rawBackend(async () => await Promise.resolve(abort.abort("my reason")));
  assert.equal(await outcome(backend.url, { signal: abort.signal }), "my reason");
  await backend.clientClosed;
});

Deno.test("an unusable reply does not keep its connection", async () => {
  await using backend = rawBackend(async (connection) => {
    await connection.write(bytes("HTTP/1.1 600 x\r\ncontent-length: 9\r\n\r\n"));
    await connection.read(new Uint8Array(1));
  });
  await withTransport(async (transport) => {
    await assert.rejects(transport.send(request(backend.url)), { code: "upstream_invalid" });
    await backend.clientClosed;
  });
});

Deno.test("encoded replies pass as they are, whatever the client accepts", async () => {
  const packed = new Uint8Array(
    await new Response(new Blob(["hello"]).stream().pipeThrough(new CompressionStream("gzip")))
      .arrayBuffer(),
  );
  const text = String.fromCharCode(...packed);
  await using backend = rawBackend(
    `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${packed.length}\r\n\r\n${text}`,
  );
  await withTransport(async (transport) => {
    const headers: [string, string][] = [["host", "h"], ["accept-encoding", "gzip, br"]];
    const response = await transport.send(request(backend.url, { headers }));
    assert.deepEqual(new Uint8Array(await response.arrayBuffer()), packed);
    assert.equal(response.headers.get("content-length"), String(packed.length));
  });
  assert.match(
    backend.requests[0] ?? "",
    /accept-encoding: identity\r\naccept-encoding: gzip, br\r\n/,
  );
});

Deno.test("the request is sent as it was given", async () => {
  await using backend = rawBackend("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  const headers: [string, string][] = [["host", "Api.Example.com:81"], ["x-a", "1"], [
    "x-a",
    "\u00e9",
  ]];
  assert.equal(await outcome(`${backend.url}/a%2Fb//;c?d=%2e`, { method: "PUT", headers }), "200 ");
  const wire = backend.requests[0] ?? "";
  assert.match(wire, /^PUT \/a%2Fb\/\/;c\?d=%2e HTTP\/1.1\r\n/);
  assert.match(wire, /\r\nhost: Api.Example.com:81\r\nx-a: 1\r\nx-a: \u00e9\r\n/);
  assert.match(wire, /\r\nuser-agent: x402-k8s-operator\r\n/);
  assert.match(wire, /\r\naccept: \*\/\*\r\naccept-language: \*\r\n/);
});

Deno.test("bodies keep the length that was announced", async () => {
  const body = ReadableStream.from([bytes("hel"), bytes("lo")]);
  const headers: [string, string][] = [["host", "h"], ["content-length", "5"]];
  await using backend = rawBackend("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  assert.equal(await outcome(backend.url, { method: "POST", headers, body }), "200 ");
  assert.match(backend.requests[0] ?? "", /\r\ncontent-length: 5\r\n[^]*\r\n\r\nhello$/);
  assert.doesNotMatch(backend.requests[0] ?? "", /chunked/);
});

Deno.test("a stale connection: requests that may be sent once are sent once", async (t) => {
  const cases: [name: string, parts: Partial<UpstreamRequest>, seen: number][] = [
    ["GET, free: sent again", { method: "GET", once: false }, 2],
    ["GET, paid", { method: "GET", once: true }, 1],
    ["POST without body", { method: "POST", once: true }, 1],
    ["DELETE without body", { method: "DELETE", once: true }, 1],
    ["POST", { method: "POST", once: true, headers: [["host", "h"], ["content-length", "1"]] }, 1],
  ];
  for (const [name, parts, seen] of cases) {
    await t.step(name, async () => {
      // The first request makes a connection that is kept; the next one on it is read, then cut off.
      await using backend = rawBackend(async (connection, head) => {
        if (!head.includes("/warm")) return connection.close();
        await connection.write(bytes("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
      });
      const count = await withTransport(async (transport) => {
        const warm = await transport.send(request(`${backend.url}/warm`, { once: false }));
        await warm.body?.cancel();
        const body = parts.headers ? ReadableStream.from([bytes("x")]) : null;
        await transport.send(request(`${backend.url}/cut`, { ...parts, body })).catch(() => {});
        return backend.requests.filter((head) => head.includes("/cut")).length;
      });
      assert.equal(count, seen);
    });
  }
});

Deno.test("the environment's HTTP proxy is not used, and stays set", async () => {
  await using proxy = rawBackend("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nproxy");
  await using backend = rawBackend("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nbackend");
  const variables = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
  for (const name of variables) Deno.env.set(name, proxy.url);
  try {
    assert.equal(await outcome(backend.url), "200 backend");
    assert.equal(Deno.env.get("HTTP_PROXY"), proxy.url);
  } finally {
    for (const name of variables) Deno.env.delete(name);
  }
});
