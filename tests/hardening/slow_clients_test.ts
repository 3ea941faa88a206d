/** Clients that are slower than one byte a second, in either direction. */
import assert from "node:assert/strict";
import { Crowd } from "./crowd.ts";
import { assertServed, get, HardeningBed, longest, post } from "./hardening_bed.ts";
import { figures, full, hardeningTest, sized } from "./size.ts";

const count = sized(100, 500);

hardeningTest(
  "bodies slower than a byte a second break off, and their backend calls with them",
  async () => {
    await using bed = await HardeningBed.start({ flags: ["--idle-timeout", "1s"] });
    const base = bed.fileDescriptors();
    // Each is on its way to the backend; 100 connections of 1,024 that a backend has.
    const first = post("/docs/upload", "content-length: 1000");
    await using crowd = await Crowd.start({
      port: bed.port,
      count,
      first,
      piece: "x",
      everyMs: 1_500,
    });
    const purchases = await bed.payOften(10);
    const { ms, answered } = await crowd.closed();
    figures(`${count} bodies of less than a byte a second`, {
      "longest purchase ms": longest(purchases),
      "closed after ms": ms,
    });
    assertServed(purchases);
    assert.ok(ms < 10_000);
    assert.equal(answered, 0);
    await bed.closedDownTo(base + 32);
    assert.ok(!bed.backend.whole.includes("/docs/upload"), "no backend takes a part for the whole");
  },
);

hardeningTest("a body that never stands still but is too slow breaks off as well", async () => {
  // The grace of 30 s is no flag: slow networks are no attack.
  if (!full) return;
  await using bed = await HardeningBed.start({ flags: ["--min-client-rate", "64"] });
  const first = post("/docs/upload", "content-length: 1000");
  await using crowd = await Crowd.start({
    port: bed.port,
    count,
    first,
    piece: "x",
    everyMs: 1_100,
  });
  const { ms } = await crowd.closed();
  figures(`${count} bodies of nearly a byte a second`, { "closed after ms": ms });
  assert.ok(ms > 25_000 && ms < 50_000, `${ms} ms`);
});

hardeningTest(
  "readers slower than a byte a second are cut off, and their backend calls with them",
  async () => {
    await using bed = await HardeningBed.start({ flags: ["--idle-timeout", "1s"] });
    const base = { fds: bed.fileDescriptors(), rss: await bed.rssMiB() };
    const first = get("/docs/endless");
    await using crowd = await Crowd.start({
      port: bed.port,
      count: sized(8, 16),
      first,
      reads: false,
    });
    const purchases = await bed.payOften(5);
    const { ms } = await crowd.closed();
    const rss = await bed.rssMiB();
    figures("readers that take nothing", {
      "longest purchase ms": longest(purchases),
      "closed after ms": ms,
      "RSS MiB": `${Math.round(base.rss)} -> ${Math.round(rss)}`,
    });
    assertServed(purchases);
    assert.ok(rss < base.rss + 96, `${rss} MiB`);
    await bed.closedDownTo(base.fds + 32);
  },
);
