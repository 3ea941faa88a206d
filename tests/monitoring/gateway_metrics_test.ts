/** What is counted of payments, facilitators and refusals is what happened. */
import assert from "node:assert/strict";
import { paymentBed } from "../support/payment_bed.ts";
import type { TestGateway } from "../support/test_gateway.ts";
import { rule, snapshotOf } from "../support/test_gateway.ts";
import { type Sample, samplesOf } from "./exposition.ts";

async function scrape({ metricsUrl }: TestGateway): Promise<Sample[]> {
  return samplesOf(await (await fetch(`${metricsUrl}/metrics`)).text());
}

/** The samples of a metric that are not 0, such as `{ "base-sepolia settled": 1 }`. */
function counted(samples: readonly Sample[], name: string): Record<string, number> {
  return Object.fromEntries(
    samples.filter((it) => it.name === name && it.value !== 0)
      .map(({ labels, value }) => [
        Object.values(labels).filter((text) => !text.startsWith("127.0.0.1:")).join(" "),
        value,
      ]),
  );
}

Deno.test("settlements and facilitator calls by outcome", async () => {
  await using bed = paymentBed();
  const { facilitator, gateway } = bed;
  const pay = async () => await (await bed.fetch("/paid/x", await bed.sign())).text();
  await pay();
  await bed.becomes("delivered");
  facilitator.next["/settle"].push({ json: { success: false, errorReason: "insufficient_funds" } });
  await pay();
  facilitator.next["/settle"].push("close-after-request");
  await pay();
  facilitator.next["/verify"].push({ json: { isValid: false, invalidReason: "invalid_payload" } });
  await pay();
  facilitator.next["/verify"].push({ json: {}, status: 500 });
  await pay();
  const samples = await scrape(gateway);
  assert.deepEqual(counted(samples, "x402_settlements_total"), {
    "base-sepolia settled": 1,
    "base-sepolia refused": 1,
    "base-sepolia unknown": 1,
  });
  const calls = counted(samples, "x402_facilitator_calls_total");
  assert.equal(calls["settle answered"], 2);
  assert.equal(calls["settle unreachable"], 1);
  assert.equal(calls["verify invalid"], 1);
  assert.ok(calls["verify answered"]! >= 4, "and what the reconciler asks");
  const durations = counted(samples, "x402_facilitator_call_duration_seconds_count");
  assert.equal(durations.settle, 3);
  assert.deepEqual(counted(samples, "x402_payments_closed_total"), {
    delivered: 1,
    rejected: 2,
    released: 1,
  });
  assert.equal(counted(samples, "x402_refused_requests_total").settlement_unknown, 1);
});

Deno.test("charged, and the backend fails: one payment was not delivered", async () => {
  await using bed = paymentBed({ settle: "before-request" });
  const reply = await bed.fetch("/paid/x?status=500", await bed.sign());
  assert.equal(reply.status, 500);
  await reply.text();
  await bed.becomes("undelivered");
  const samples = await scrape(bed.gateway);
  assert.deepEqual(counted(samples, "x402_payments_closed_total"), { undelivered: 1 });
});

Deno.test("a payment in doubt is one open payment, as soon as the ledger was looked at", async () => {
  await using bed = paymentBed();
  const { facilitator, gateway } = bed;
  facilitator.answers["/settle"] = "hang";
  facilitator.answers["/verify"] = { json: { isValid: true } };
  const reply = await bed.fetch("/paid/x", await bed.sign());
  assert.equal(reply.status, 503);
  await reply.text();
  let open: Record<string, number> = {};
  while (open.unknown === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    open = counted(await scrape(gateway), "x402_ledger_open_payments");
  }
  assert.deepEqual(open, { unknown: 1 });
  assert.deepEqual(counted(await scrape(gateway), "x402_payments_in_doubt"), { "": 1 });
});

Deno.test("a breaker that opens, and calls in flight, are seen", async () => {
  await using bed = paymentBed();
  const { facilitator, gateway } = bed;
  const gates = async () => {
    const samples = await scrape(gateway);
    return {
      ...counted(samples, "x402_facilitator_breakers"),
      inFlight: counted(samples, "x402_facilitator_calls_in_flight")[""] ?? 0,
    };
  };
  facilitator.next["/verify"].push("hang");
  const called = facilitator.called("/verify");
  const hanging = bed.fetch("/paid/x", await bed.sign());
  await called;
  assert.deepEqual(await gates(), { closed: 1, inFlight: 1 });
  await (await hanging).text();
  facilitator.answers["/verify"] = { json: {}, status: 500 };
  facilitator.answers["/supported"] = { json: {}, status: 500 };
  let state: Record<string, number> = {};
  while (state.open === undefined) {
    await (await bed.fetch("/paid/x", await bed.sign())).text();
    state = await gates();
  }
  assert.deepEqual(state, { open: 1, inFlight: 0 });
  await (await bed.fetch("/paid/x", await bed.sign())).text();
  const calls = counted(await scrape(gateway), "x402_facilitator_calls_total");
  assert.ok(calls["verify unavailable"]! >= 1);
});

Deno.test("a facilitator leaves /metrics ten minutes after the routes", async () => {
  await using bed = paymentBed();
  const { gateway } = bed;
  const known = async () =>
    (await scrape(gateway)).filter(({ labels }) => labels.facilitator !== undefined).length;
  assert.ok(await known() > 0, "from the first snapshot on");
  const free = snapshotOf(bed.api.url, [rule("/paid/**", { kind: "free" })]);
  gateway.gateway.publish(free);
  assert.ok(await known() > 0, "for the last scrape");
  const { now } = performance;
  performance.now = () => now.call(performance) + 10 * 60_000;
  gateway.gateway.publish(free);
  performance.now = now;
  assert.equal(await known(), 0);
});

Deno.test("requests in flight and connections, while a backend is slow", async () => {
  await using bed = paymentBed();
  const { api, gateway } = bed;
  gateway.gateway.publish(snapshotOf(api.url, [rule("/slow", { kind: "free" })]));
  const abort = new AbortController();
  const slow = fetch(`${gateway.url}/slow?ms=2000`, { signal: abort.signal }).catch(() => {});
  while (api.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const during = await scrape(gateway);
  assert.deepEqual(counted(during, "x402_requests_in_flight"), { "": 1 });
  assert.deepEqual(counted(during, "x402_upstream_connections"), { in_use: 1 });
  assert.deepEqual(counted(during, "x402_client_connections"), { "": 1 });
  assert.deepEqual(counted(during, "x402_workers"), { "": 1 });
  assert.deepEqual(counted(during, "x402_requests_in_flight_limit"), { "": 10_000 });
  abort.abort();
  await slow;
  await (await fetch(`${gateway.url}/other`)).text();
  const refused = await fetch(`${gateway.url}/%zz`);
  await refused.text();
  assert.equal(refused.status, 400);
  assert.deepEqual(counted(await scrape(gateway), "x402_refused_requests_total"), {
    invalid_path: 1,
  });
});
