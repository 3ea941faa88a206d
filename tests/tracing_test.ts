/** Traces: one span for each request, below it those of verify, backend and settle. */
import assert from "node:assert/strict";
import { startGateway } from "./rig/gateway_process.ts";
import { startPaidApi } from "./rig/paid_api.ts";
import { allowLoopback } from "./rig/rig.ts";
import { renderSamples } from "./rig/sample_manifests.ts";
import { signPayment, usdcRequirements } from "./rig/sign_payment.ts";
import { startScriptedFacilitator } from "./support/scripted_facilitator.ts";
import { type SentSpan, startSpanSink } from "./support/span_sink.ts";

const seller = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
/** What a client says of its own span (W3C Trace Context). */
const client = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
const purchases = 12;
const traceparent = `00-${client.traceId}-${client.spanId}-01`;

async function setUp(env: Record<string, string>, ...flags: string[]) {
  await using started = new AsyncDisposableStack();
  const manifests = await Deno.makeTempDir({ prefix: "x402-tracing-" });
  started.defer(() => Deno.remove(manifests, { recursive: true }));
  const api = started.use(startPaidApi());
  const facilitator = started.use(startScriptedFacilitator());
  const ports = { api: api.port, facilitator: Number(new URL(facilitator.url).port) };
  await renderSamples(manifests, ports);
  const options = { manifests, flags: [...allowLoopback, ...flags], env };
  const gateway = started.use(await startGateway(options));
  const running = started.move();
  return { api, facilitator, gateway, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function payment(): Promise<[string, string]> {
  const requirements = usdcRequirements(2, "1000", seller);
  return (await signPayment({ version: 2, buyer: 1, requirements })).header;
}

async function get(url: string, headers: [string, string][] = []): Promise<number> {
  using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const reply = await fetch(url, { client, headers: [["traceparent", traceparent], ...headers] });
  await reply.body?.cancel();
  return reply.status;
}

/** The trace id and the parent that a received request names. */
function named(header: string | null | undefined): [string | undefined, string | undefined] {
  const [, traceId, spanId] = header?.split("-") ?? [];
  return [traceId, spanId];
}

for (const workers of ["1", "2"]) {
  Deno.test(`a purchase is one trace, from the client to all that is called for it (${workers} workers)`, async () => {
    await using sink = startSpanSink();
    await using bed = await setUp(sink.env, "--workers", workers);
    // Each comes on a connection of its own, so that the kernel spreads them over the workers.
    for (let i = 0; i < purchases; i++) {
      assert.equal(await get(`${bed.gateway.url}/api/weather`, [await payment()]), 200);
    }
    const isServer = (span: SentSpan) => span.name === "GET /api/*";
    const server = await sink.sent(isServer);
    await sink.sent(() => sink.spans.filter(isServer).length === purchases);
    assert.deepEqual([server.traceId, server.parentSpanId], [client.traceId, client.spanId]);
    const { attributes } = server;
    assert.equal(attributes["http.route"], "/api/*");
    assert.equal(attributes["url.path"], "/api/weather");
    assert.equal(attributes["x402.access"], "paid");
    assert.equal(attributes["x402.route"], "default/weather-payments");
    assert.equal(Number(attributes["http.response.status_code"]), 200);
    const below = await Promise.all(
      ["verify", "upstream", "settle"].map((name) =>
        sink.sent((span) => span.name === name && span.parentSpanId === server.spanId)
      ),
    );
    const [verify, upstream, settle] = below as [SentSpan, SentSpan, SentSpan];
    assert.ok(below.every(({ traceId }) => traceId === client.traceId));
    assert.equal(verify.attributes["x402.outcome"], "valid");
    assert.equal(settle.attributes["x402.outcome"], "settled");
    assert.equal(settle.attributes["x402.transaction"], "0x" + "5e".repeat(32));
    assert.equal(settle.attributes["x402.amount"], "1000");
    assert.equal(Number(upstream.attributes["http.response.status_code"]), 200);

    const callers = bed.api.received.map(({ headers }) => headers.traceparent);
    assert.ok(
      callers.some((header) => named(header)[1] === upstream.spanId),
      "the backend is told",
    );
    for (const [path, span] of [["/verify", verify], ["/settle", settle]] as const) {
      const asked = bed.facilitator.requests.filter((request) => request.path === path)
        .map(({ headers }) => named(headers.get("traceparent"))[1]);
      assert.ok(asked.includes(span.spanId), `${path} is told`);
    }
    const text = JSON.stringify(sink.spans);
    assert.ok(!/"0x[0-9a-f]{130}"/.test(text), "no signature is in a span");
  });
}

Deno.test("spans say what failed", async () => {
  await using sink = startSpanSink();
  await using bed = await setUp(sink.env);
  assert.equal(await get(`${bed.gateway.url}/api/weather`), 402);
  const asked = await sink.sent(({ name }) => name === "GET /api/*");
  assert.equal(Number(asked.attributes["http.response.status_code"]), 402);
  assert.equal(asked.status, 0, "a 402 is no error");

  bed.facilitator.answers["/verify"] = { json: { error: "no" }, status: 500 };
  assert.equal(await get(`${bed.gateway.url}/api/weather`, [await payment()]), 502);
  const verify = await sink.sent(({ name }) => name === "verify");
  assert.equal(verify.status, 2);
  assert.match(String(verify.attributes["error.type"]), /^facilitator_/);
  const refused = await sink.sent(({ spanId }) => spanId === verify.parentSpanId);
  assert.equal(refused.attributes["x402.error"], verify.attributes["error.type"]);
  assert.equal(refused.status, 2);

  assert.equal(await get(`${bed.gateway.url}/health?status=500`), 500);
  const upstream = await sink.sent(({ name }) => name === "upstream");
  assert.equal(upstream.status, 2);
});

Deno.test("a method that a client has made up is in no name of a span", async () => {
  await using sink = startSpanSink();
  await using bed = await setUp(sink.env);
  const reply = await fetch(`${bed.gateway.url}/health`, { method: "XYZZY" });
  await reply.body?.cancel();
  const { attributes } = await sink.sent(({ name }) => name === "_OTHER /health");
  assert.equal(attributes["http.request.method"], "_OTHER");
});

Deno.test("without tracing, what a client says of its trace reaches the backend as it came", async () => {
  await using sink = startSpanSink();
  await using bed = await setUp({ ...sink.env, OTEL_DENO: "false" });
  assert.equal(await get(`${bed.gateway.url}/health`, [["tracestate", "a=1"]]), 200);
  const { headers } = bed.api.received[0]!;
  assert.deepEqual([headers.traceparent, headers.tracestate], [traceparent, "a=1"]);
  assert.equal(await bed.gateway.stop(), 0);
  assert.deepEqual(sink.spans, []);
});

Deno.test("with tracing, state and baggage of a client go on to the backend", async () => {
  await using sink = startSpanSink();
  await using bed = await setUp(sink.env);
  assert.equal(
    await get(`${bed.gateway.url}/health`, [["tracestate", "a=1"], ["baggage", "b=2"]]),
    200,
  );
  const { headers } = bed.api.received[0]!;
  assert.equal(named(headers.traceparent)[0], client.traceId);
  assert.notEqual(headers.traceparent, traceparent, "the parent is the gateway's span");
  assert.deepEqual([headers.tracestate, headers.baggage], ["a=1", "b=2"]);
});
