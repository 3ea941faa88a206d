/** Messages that are allowed, but made to cost as much as possible. */
import assert from "node:assert/strict";
import { cpuSeconds } from "../bench/process_usage.ts";
import { Crowd } from "./crowd.ts";
import { assertServed, get, HardeningBed, longest, post } from "./hardening_bed.ts";
import { figures, hardeningTest, sized } from "./size.ts";

/**
 * MiB for what is not kept: the garbage of two isolates, which is collected when there is need to. Kept
 * in memory, the messages below and their replies would be several times as much.
 */
const slackMiB = 128;

hardeningTest(
  "64 KiB of headers are taken, more are not, and crowds of them have bounded memory",
  async () => {
    const count = sized(200, 1_000);
    await using bed = await HardeningBed.start({ flags: ["--header-timeout", "2s"] });
    const before = await bed.rssMiB();
    const line = (bytes: number) => `x: ${"y".repeat(bytes - get("/api/x", "x: ").length)}`;
    assert.equal((await bed.ask("/api/x", line(64 * 1024))).status, 402);
    assert.equal((await bed.ask("/api/x", line(64 * 1024 + 8))).status, 431);
    // All but the end of a header, each of which is in a buffer of twice its size at most.
    const first = get("/api/x", line(64 * 1024)).slice(0, -4);
    await using crowd = await Crowd.start({ port: bed.port, count, first });
    const purchases = await bed.payOften(10);
    const rss = await bed.rssMiB();
    const { ms } = await crowd.closed();
    figures(`${count} headers of 64 KiB without an end`, {
      "longest purchase ms": longest(purchases),
      "closed after ms": ms,
      "RSS MiB": `${Math.round(before)} -> ${Math.round(rss)}`,
    });
    assertServed(purchases);
    assert.ok(ms < 8_000);
    assert.ok(rss < before + count * 128 / 1024 + slackMiB, `${rss} MiB`);
  },
);

hardeningTest(
  "100,000 tiny chunks cost what ten times as many bytes cost, paid or not",
  async () => {
    await using bed = await HardeningBed.start();
    const before = { rss: await bed.rssMiB(), cpu: await cpuSeconds(bed.gateway.pid) };
    const chunks = "1\r\nx\r\n".repeat(100_000) + "0\r\n\r\n";
    const start = performance.now();
    for (const [path, status] of [["/docs/x", 200], ["/api/x", 402]] as const) {
      using client = await bed.connect();
      await client.send(post(path, "transfer-encoding: chunked") + chunks + get("/docs/after"));
      const reply = await client.reply();
      assert.equal(reply.status, status);
      if (status === 200) assert.equal(JSON.parse(reply.body).bytes, 100_000);
      assert.equal((await client.reply()).status, 200, "and the next request follows");
    }
    const ms = Math.round(performance.now() - start);
    const cpu = await cpuSeconds(bed.gateway.pid) - before.cpu;
    const rss = await bed.rssMiB();
    figures("twice 100,000 tiny chunks", {
      ms,
      "CPU-s": cpu.toFixed(2),
      "RSS MiB": `${Math.round(before.rss)} -> ${Math.round(rss)}`,
    });
    // 0.1 s measured; what takes quadratic time takes minutes.
    assert.ok(cpu < 5, `${cpu} CPU-s`);
    assert.ok(rss < before.rss + slackMiB, `${rss} MiB`);
  },
);

hardeningTest("1,000 pipelined requests are answered in order, whatever they ask for", async () => {
  const connections = sized(4, 25);
  await using bed = await HardeningBed.start();
  const before = await bed.rssMiB();
  const paths = Array.from({ length: 1_000 }, (_, i) => (i % 2 === 0 ? "/api/" : "/docs/") + i);
  const start = performance.now();
  await Promise.all(Array.from({ length: connections }, async () => {
    using client = await bed.connect();
    const sending = client.send(paths.map((path) => get(path)).join(""));
    for (const path of paths) {
      const { status, body } = await client.reply();
      assert.equal(status, path.startsWith("/api/") ? 402 : 200);
      assert.ok(body.includes(path), `the reply to ${path}`);
    }
    await sending;
  }));
  const rss = await bed.rssMiB();
  figures(`${connections} connections with 1,000 pipelined requests`, {
    ms: Math.round(performance.now() - start),
    "RSS MiB": `${Math.round(before)} -> ${Math.round(rss)}`,
  });
  assert.ok(rss < before + slackMiB, `${rss} MiB`);
});

hardeningTest(
  "pipelined requests of a client that reads no reply do not fill the memory",
  async () => {
    const count = sized(20, 50);
    await using bed = await HardeningBed.start({ flags: ["--idle-timeout", "1s"] });
    const before = await bed.rssMiB();
    const first = get("/api/x").repeat(1_000);
    await using crowd = await Crowd.start({
      port: bed.port,
      count,
      first,
      piece: first,
      everyMs: 20,
      reads: false,
    });
    const purchases = await bed.payOften(10);
    const { ms } = await crowd.closed();
    const rss = await bed.rssMiB();
    figures(`${count} clients that ask and do not listen`, {
      "longest purchase ms": longest(purchases),
      "closed after ms": ms,
      "RSS MiB": `${Math.round(before)} -> ${Math.round(rss)}`,
    });
    assertServed(purchases);
    assert.ok(ms < 20_000);
    assert.ok(rss < before + slackMiB, `${rss} MiB`);
  },
);
