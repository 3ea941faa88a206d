import assert from "node:assert/strict";
import { Metrics } from "./metrics.ts";

const minute = 60_000;

async function lines(metrics: Metrics): Promise<string[]> {
  const text = await metrics.registry.metrics();
  return text.split("\n").filter((line) => /^x402_(requests|payment_amount)_total/.test(line));
}

Deno.test("a rule is counted by the last label, whoever asks for its tally", async () => {
  const metrics = new Metrics();
  metrics.requests("/api/*", "shop", "prices").add("free");
  metrics.requests("/api/*", "shop", "prices").add("free");
  metrics.requests("/api/*", "shop", "prices").add("blocked");
  metrics.amounts("/api/*", "0x1").add("base", 0.5);
  assert.deepEqual(await lines(metrics), [
    'x402_requests_total{path="/api/*",namespace="shop",route_name="prices",payment_status="free"} 2',
    'x402_requests_total{path="/api/*",namespace="shop",route_name="prices",payment_status="blocked"} 1',
    'x402_payment_amount_total{path="/api/*",wallet="0x1",network="base"} 0.5',
  ]);
});

Deno.test("series of rules that come and go do not pile up", async () => {
  const metrics = new Metrics();
  const live = metrics.requests("/live", "shop", "prices");
  live.add("free");
  for (let i = 0; i < 100; i++) {
    const requests = metrics.requests(`/api/${i}`, "shop", "prices");
    const amounts = metrics.amounts(`/api/${i}`, "0x1");
    requests.add("payment_accepted");
    amounts.add("base");
    metrics.forgetGone([live, requests, amounts], i * minute);
  }
  // Of the last minute, what is in force; of the ten before it, what is gone; and the live one.
  assert.equal((await lines(metrics)).length, 2 * (1 + 10) + 1);
});

Deno.test("a rule that comes back in time goes on counting, a later one begins at zero", () => {
  const metrics = new Metrics();
  const tally = () => metrics.requests("/api", "shop", "prices");
  tally().add("free");
  metrics.forgetGone([], 0);
  metrics.forgetGone([], 9 * minute);
  assert.equal(tally().counts.get("free"), 1);
  metrics.forgetGone([tally()], 10 * minute);
  metrics.forgetGone([], 11 * minute);
  metrics.forgetGone([], 20 * minute);
  assert.equal(tally().counts.get("free"), 1, "the time counts from when it went last");
  metrics.forgetGone([], 21 * minute);
  assert.equal(tally().counts.get("free"), undefined);
});
