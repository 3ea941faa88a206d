/** What a client sees of the gateway before any payment is made. */
import assert from "node:assert/strict";
import { startPaidApi } from "./rig/paid_api.ts";
import type { GatewaySettings } from "../gateway/mod.ts";
import type { IngressRules, Rule } from "../store/route_snapshot.ts";
import { collectGarbage } from "./support/collect_garbage.ts";
import { rule, snapshotOf, startTestGateway, usdcTerms } from "./support/test_gateway.ts";

const terms = usdcTerms("http://127.0.0.1:1");
const paid = { kind: "paid", terms } as const;

/** `fetch` sends a Host of the caller's choice only with this option, which the types do not name. */
const clientOptions: Deno.CreateHttpClientOptions & { allowHost: true } = { allowHost: true };

function setUp(
  rules: Rule[],
  settings: Partial<GatewaySettings> = {},
  ingress: Partial<IngressRules> = {},
) {
  const api = startPaidApi();
  const client = Deno.createHttpClient(clientOptions);
  const gateway = startTestGateway(snapshotOf(api.url, rules, ingress), settings);
  return {
    api,
    gateway,
    get: (path: string, init?: RequestInit) => fetch(gateway.url + path, { client, ...init }),
    async [Symbol.asyncDispose]() {
      client.close();
      await gateway[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

function offerOf(response: Response) {
  return JSON.parse(atob(response.headers.get("payment-required")!));
}

async function metric(url: string, line: RegExp): Promise<string | undefined> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return text.split("\n").find((candidate) => line.test(candidate));
}

Deno.test("a paid path answers 402, a free and an unmatched one go to the backend", async () => {
  await using bed = setUp([rule("/api/free", { kind: "free" }), rule("/api/*", paid)]);
  const expected: [path: string, status: number][] = [
    ["/api/x", 402],
    ["/api/x/", 402],
    ["/%61pi/x", 402],
    ["/api/free", 200],
    ["/api/x/y", 200],
    ["/other", 200],
    ["/api/x%2Fy", 402],
    ["//api/x", 400],
  ];
  for (const [path, status] of expected) {
    const reply = await bed.get(path);
    await reply.body?.cancel();
    assert.equal(reply.status, status, path);
  }
  const targets = bed.api.received.map(({ target }) => target);
  assert.deepEqual(targets, ["/api/free", "/api/x/y", "/other"]);
});

Deno.test("HEAD is priced as GET and gets no body", async () => {
  await using bed = setUp([rule("/get", paid, ["GET"]), rule("/any", paid)]);
  for (const path of ["/get", "/any"]) {
    const reply = await bed.get(path, { method: "HEAD" });
    assert.equal(reply.status, 402);
    assert.equal(offerOf(reply).x402Version, 2);
    assert.equal(await reply.text(), "");
  }
  const post = await bed.get("/get", { method: "POST" });
  await post.body?.cancel();
  assert.equal(post.status, 200, "the rule prices GET only");
});

const preflight = {
  method: "OPTIONS",
  headers: {
    origin: "https://shop.example.com",
    "access-control-request-method": "POST",
    "access-control-request-headers": "payment-signature, x-own",
  },
};

Deno.test("a CORS preflight is not charged and goes to the backend", async () => {
  await using bed = setUp([rule("/api/*", paid)]);
  const reply = await bed.get("/api/x", preflight);
  assert.equal(reply.status, 200);
  assert.equal(bed.api.received[0]?.method, "OPTIONS");
  const plain = await bed.get("/api/x", { method: "OPTIONS" });
  await plain.body?.cancel();
  assert.equal(plain.status, 402, "OPTIONS that is no preflight is priced");
});

Deno.test("--cors: the gateway answers a preflight that the backend does not", async () => {
  await using bed = setUp([rule("/api/*", paid)], { corsOrigins: ["https://shop.example.com"] });
  const reply = await bed.get("/api/x?status=404", preflight);
  assert.equal(reply.status, 204);
  assert.equal(reply.headers.get("access-control-allow-origin"), "https://shop.example.com");
  assert.equal(reply.headers.get("access-control-allow-methods"), "POST");
  const allowed = reply.headers.get("access-control-allow-headers")!.toLowerCase();
  for (const name of ["payment-signature", "x-payment", "x-own", "access-control-expose-headers"]) {
    assert.ok(allowed.includes(name), name);
  }
  const foreign = { ...preflight, headers: { ...preflight.headers, origin: "https://evil.test" } };
  const refused = await bed.get("/api/x?status=404", foreign);
  await refused.body?.cancel();
  assert.equal(refused.status, 404, "the backend's own answer");
});

Deno.test("--cors: a script in a browser can read the 402", async () => {
  await using bed = setUp([rule("/api/*", paid)], { corsOrigins: ["*"] });
  const reply = await bed.get("/api/x", { headers: { origin: "https://shop.example.com" } });
  await reply.body?.cancel();
  assert.equal(reply.headers.get("access-control-allow-origin"), "*");
  assert.match(reply.headers.get("access-control-expose-headers")!, /PAYMENT-REQUIRED/);
});

const urls: [name: string, headers: Record<string, string>, tls: string[], url: string][] = [
  ["plain", {}, [], "http://api.test/x?q=1"],
  ["an Ingress with TLS", {}, ["api.test"], "https://api.test/x?q=1"],
  ["a wildcard certificate", {}, ["*.test"], "https://api.test/x?q=1"],
  ["TLS of another host", {}, ["other.test"], "http://api.test/x?q=1"],
  [
    "a trusted proxy",
    { "x-forwarded-proto": "https", "x-forwarded-host": "www.test" },
    [],
    "https://www.test/x?q=1",
  ],
];

Deno.test("resource.url is the public URL", async (t) => {
  for (const [name, headers, tlsHosts, url] of urls) {
    await t.step(name, async () => {
      await using bed = setUp([rule("/**", paid)], { trustedProxies: ["127.0.0.1"] }, { tlsHosts });
      const reply = await bed.get("/x?q=1", { headers: { host: "api.test", ...headers } });
      assert.equal(offerOf(reply).resource.url, url);
      assert.equal((await reply.json()).accepts[0].resource, url);
    });
  }
  await t.step("a stranger's X-Forwarded headers are not believed", async () => {
    await using bed = setUp([rule("/**", paid)]);
    const headers = { "x-forwarded-proto": "https", "x-forwarded-host": "evil.test" };
    const reply = await bed.get("/x", { headers });
    await reply.body?.cancel();
    assert.equal(offerOf(reply).resource.url, `${bed.gateway.url}/x`);
  });
});

Deno.test("conditions are tried in order, and the first that matches decides", async (t) => {
  const conditions = [
    { header: "x-plan", pattern: "^gold$", action: "free" },
    { header: "user-agent", pattern: "(?i)(claude|openai)", action: "pay" },
  ] as const;
  const table: [plan: string, agent: string, otherwise: "pay" | "free", status: number][] = [
    ["gold", "Claude-Bot", "pay", 200],
    ["silver", "Claude-Bot", "free", 402],
    ["silver", "Firefox", "free", 200],
    ["silver", "Firefox", "pay", 402],
    ["golden", "Firefox", "pay", 402],
  ];
  for (const [plan, agent, conditionDefault, status] of table) {
    await t.step(`${plan}, ${agent}, else ${conditionDefault}: ${status}`, async () => {
      await using bed = setUp([rule("/**", { ...paid, conditions, conditionDefault })]);
      const reply = await bed.get("/x", { headers: { "x-plan": plan, "user-agent": agent } });
      await reply.body?.cancel();
      assert.equal(reply.status, status);
    });
  }
});

Deno.test("a blocked rule answers 503, never the backend", async () => {
  await using bed = setUp([rule("/**", { kind: "blocked", reason: "wallet is no address" })]);
  const reply = await bed.get("/x");
  assert.equal(reply.status, 503);
  const body = await reply.text();
  assert.ok(body.includes("route_blocked") && !body.includes("wallet"), "the reason is in the log");
  assert.equal(bed.api.received.length, 0);
});

Deno.test("a malformed payment header is 400; another version is 402 with the terms", async () => {
  await using bed = setUp([rule("/**", paid)]);
  const malformed = await bed.get("/x", { headers: { "payment-signature": "%%%" } });
  assert.deepEqual([malformed.status, (await malformed.json()).error], [400, "payment_malformed"]);
  const header = btoa(JSON.stringify({ x402Version: 3 }));
  const version = await bed.get("/x", { headers: { "payment-signature": header } });
  assert.deepEqual([version.status, offerOf(version).error], [402, "invalid_x402_version"]);
  await version.body?.cancel();
});

Deno.test("failures name a request id that is in the log, and no address", async () => {
  await using bed = setUp([]);
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  closed.close();
  bed.gateway.gateway.publish(snapshotOf(`http://127.0.0.1:${closed.addr.port}`, []));
  const reply = await bed.get("/x");
  const body = await reply.json();
  assert.deepEqual([reply.status, body.error], [502, "upstream_unreachable"]);
  assert.equal(reply.headers.get("cache-control"), "no-store");
  assert.doesNotMatch(JSON.stringify(body), /127\.0\.0\.1/);
  const line = bed.gateway.log.find(({ requestId }) => requestId === body.requestId);
  assert.match(String(line?.detail), /refused/i, "the cause is in the log");
});

Deno.test("ready only with a snapshot, and no longer when draining", async () => {
  const api = startPaidApi();
  const test = startTestGateway(undefined);
  const ready = async () => {
    const reply = await fetch(`${test.probeUrl}/readyz`);
    await reply.body?.cancel();
    return reply.status;
  };
  assert.equal(await ready(), 503);
  const early = await fetch(`${test.url}/x`);
  assert.equal((await early.json()).error, "not_ready");
  test.gateway.publish(snapshotOf(api.url, []));
  assert.equal(await ready(), 200);
  assert.equal((await (await fetch(`${test.probeUrl}/healthz`)).text()).trim(), "ok");
  const slow = fetch(`${test.url}/slow?ms=300`);
  while (api.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const drained = test.gateway.drain(5_000);
  assert.equal(await ready(), 503);
  assert.deepEqual(await (await slow).json(), { slept: 300 }, "a reply in progress ends");
  assert.equal(await drained, true);
  await api[Symbol.asyncDispose]();
});

Deno.test("draining cuts off a stream that does not end in time", async () => {
  const api = startPaidApi();
  const test = startTestGateway(snapshotOf(api.url, []));
  const reply = await fetch(`${test.url}/stream?events=0`);
  const reader = reply.body!.getReader();
  await reader.read();
  await collectGarbage();
  assert.equal(await test.gateway.drain(100), false);
  await assert.rejects(async () => {
    while (!(await reader.read()).done);
  });
  await api[Symbol.asyncDispose]();
});

Deno.test("metrics have the original's names and labels, with patterns as paths", async () => {
  await using bed = setUp([rule("/api/*", paid), rule("/docs/**", { kind: "free" })]);
  for (const path of ["/api/1", "/api/2", "/docs/a/b", "/nowhere"]) {
    await (await bed.get(path)).body?.cancel();
  }
  const { metricsUrl } = bed.gateway;
  const labels = (path: string, route: string, status: string) =>
    `x402_requests_total{path="${path}",namespace="shop",route_name="${route}",payment_status="${status}"}`;
  assert.equal(
    await metric(metricsUrl, /"\/api\/\*"/),
    `${labels("/api/*", "prices", "payment_required")} 2`,
  );
  assert.equal(await metric(metricsUrl, /docs/), `${labels("/docs/**", "prices", "free")} 1`);
  assert.equal(await metric(metricsUrl, /unmatched/), `${labels("unmatched", "", "unmatched")} 1`);
  assert.equal(
    await metric(metricsUrl, /^x402_proxy_request_duration_seconds_count/),
    "x402_proxy_request_duration_seconds_count 2",
  );
  for (
    const name of [
      "x402_payment_amount_total",
      "x402_payment_verification_duration_seconds",
      "x402_active_routes",
      "x402_route_store_updates_total",
    ]
  ) assert.ok(await metric(metricsUrl, new RegExp(`^# TYPE ${name} `)), name);
});

async function rawReply(url: string, request: string): Promise<string> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
  await connection.write(new TextEncoder().encode(request));
  const buffer = new Uint8Array(64 * 1024);
  const read = await connection.read(buffer);
  connection.close();
  return new TextDecoder().decode(buffer.subarray(0, read ?? 0));
}

Deno.test("a client that still sends its body gets the 402 at once", async () => {
  await using bed = setUp([rule("/**", paid)]);
  const head = "POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n4\r\nabcd\r\n";
  assert.match(await rawReply(bed.gateway.url, head), /^HTTP\/1\.1 402 /);
});

Deno.test("a 402 comes with one read, however long it is", async () => {
  for (const length of [0, 1, 1000, 8000]) {
    const access = { ...paid, terms: { ...terms, description: "d".repeat(length) } };
    await using bed = setUp([rule("/**", access)]);
    const reply = await rawReply(bed.gateway.url, "GET /x HTTP/1.1\r\nhost: a\r\n\r\n");
    const body = reply.slice(reply.indexOf("\r\n\r\n") + 4);
    assert.match(reply, new RegExp(`^HTTP/1\\.1 402 [^]*\r\ncontent-length: ${body.length}\r\n`));
    assert.equal(JSON.parse(body).accepts[0].description.length, length);
  }
});
