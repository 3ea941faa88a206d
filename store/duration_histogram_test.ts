import assert from "node:assert/strict";
import { Histogram, Registry } from "prom-client";
import { DurationHistogram } from "./duration_histogram.ts";

Deno.test("a scrape prints the same as prom-client's own histogram", async () => {
  const ours = new Registry();
  const theirs = new Registry();
  const name = "x402_test_duration_seconds";
  const duration = new DurationHistogram(ours, name, "A test");
  const reference = new Histogram({ name, help: "A test", registers: [theirs] });
  assert.equal(await ours.metrics(), await theirs.metrics());
  // Below, on and between bounds, and above the last one; exact in binary, so that sums are equal.
  for (const ms of [0, 5, 10, 10.5, 62.5, 250, 1000, 10_000, 10_250, 64_000]) {
    duration.observe(ms);
    reference.observe(ms / 1000);
  }
  assert.equal(await ours.metrics(), await theirs.metrics());
});
