import assert from "node:assert/strict";
import { AggregatorRegistry } from "prom-client";
import { Metrics } from "../../store/metrics.ts";
import { LeftCounts } from "./left_counts.ts";

/** An isolate that has served so many requests. */
async function isolate(requests: number): Promise<object[]> {
  const metrics = new Metrics();
  metrics.requests("/api", "shop", "prices").add("free", requests);
  for (let i = 0; i < requests; i++) metrics.proxyDuration.observe(20);
  metrics.snapshot.activeRoutes.set(requests);
  return await metrics.registry.getMetricsAsJSON();
}

async function summed(...all: object[][]): Promise<string[]> {
  const text = await AggregatorRegistry.aggregate(all).metrics();
  return text.split("\n").filter((line) =>
    /^x402_(requests_total|proxy_.*_(count|bucket\{le="(0.01|0.025)"\})|active_routes)/.test(line)
  );
}

Deno.test("what failed workers have counted stays in the sums, what went on in them does not", async () => {
  const left = new LeftCounts();
  const owner = await isolate(1);
  left.add(await isolate(20));
  left.add(await isolate(300));
  assert.deepEqual(await summed(owner, left.metrics), [
    'x402_requests_total{path="/api",namespace="shop",route_name="prices",payment_status="free"} 321',
    'x402_proxy_request_duration_seconds_bucket{le="0.01"} 0',
    'x402_proxy_request_duration_seconds_bucket{le="0.025"} 321',
    "x402_proxy_request_duration_seconds_count 321",
    "x402_active_routes 1",
  ]);
});
