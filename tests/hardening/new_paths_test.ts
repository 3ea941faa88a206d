/** Unpaid requests to ever new paths, which can bring down whoever keeps something for each of them. */
import assert from "node:assert/strict";
import { get, HardeningBed } from "./hardening_bed.ts";
import { figures, hardeningTest, sized } from "./size.ts";

const requests = sized(10_000, 100_000);
const connections = 8;
/** Sent at once on one connection. */
const batch = 50;
/**
 * What 1,024 replies of each isolate may take that are kept for URLs that are asked for again, and the
 * garbage of all others, in MiB.
 */
const slackMiB = 128;

async function metricLines(bed: HardeningBed): Promise<number> {
  const text = await (await fetch(`${bed.gateway.metricsUrl}/metrics`)).text();
  return text.split("\n").length;
}

hardeningTest("unpaid requests to ever new paths leave nothing in metrics and memory", async () => {
  await using bed = await HardeningBed.start();
  for (const path of ["/api/x", "/elsewhere"]) await bed.ask(path);
  const before = { rss: await bed.rssMiB(), lines: await metricLines(bed) };
  const start = performance.now();
  let next = 0;
  await Promise.all(Array.from({ length: connections }, async () => {
    using client = await bed.connect();
    while (next < requests) {
      const from = next;
      next += batch;
      const paths = Array.from(
        { length: batch },
        (_, i) => `/api/${from + i}-${crypto.randomUUID()}`,
      );
      await client.send(paths.map((path) => get(path)).join(""));
      for (const _ of paths) assert.equal((await client.reply()).status, 402);
    }
  }));
  const seconds = (performance.now() - start) / 1000;
  const after = { rss: await bed.rssMiB(), lines: await metricLines(bed) };
  figures(`${requests} unpaid requests to new paths`, {
    "requests/s": Math.round(requests / seconds),
    "lines of metrics": `${before.lines} -> ${after.lines}`,
    "RSS MiB": `${Math.round(before.rss)} -> ${Math.round(after.rss)}`,
  });
  assert.equal(after.lines, before.lines);
  assert.ok(after.rss < before.rss + slackMiB, `${after.rss} MiB`);
});
