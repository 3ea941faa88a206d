/** Thousands of connections that want nothing, or never get to say what. */
import assert from "node:assert/strict";
import { Crowd, type CrowdPlan } from "./crowd.ts";
import { assertServed, get, HardeningBed, longest, post } from "./hardening_bed.ts";
import { figures, full, hardeningTest, sized } from "./size.ts";

const count = sized(1_000, 10_000);
/**
 * What a connection may cost, in KiB: 4 of a buffer and about 12 that the runtime keeps for one, and as
 * much again, because what one crowd leaves is collected only while the next one comes.
 */
const kibEach = 40;
/** Of the payments meanwhile, in MiB, and file descriptors: connections to backend and facilitator. */
const slackMiB = 64;
const slackFds = 64;

interface Doing extends Pick<CrowdPlan, "first" | "piece" | "everyMs"> {
  /** Ms until the last one is closed: the timeout, and as much again for a busy machine. */
  readonly within: number;
}

/** Of the gateway's flags below, in ms. */
const timeoutMs = sized(1_500, 3_000);
/** Slow by its rate in the full run, which has a grace of 30 s, and silent for too long in the short one. */
const slowBody = full ? { everyMs: 500, within: 60_000 } : { everyMs: 3_000, within: 8_000 };

const crowds: [name: string, doing: Doing][] = [
  ["idle", { first: "", within: 8_000 }],
  ["idle after a request", { first: get("/api/x"), within: 8_000 }],
  ["trickling a header", { first: "GET / HT", piece: "y", everyMs: 1_000, within: 8_000 }],
  [
    "trickling a body that nobody wants",
    { first: post("/api/x", "content-length: 1000000"), piece: "y", ...slowBody },
  ],
];

hardeningTest(
  "crowds do not stop paying clients, are closed in time and leave nothing behind",
  async (t) => {
    const timeouts = ["--keep-alive-timeout", "--header-timeout", "--idle-timeout"]
      .flatMap((flag) => [flag, `${timeoutMs}ms`]);
    await using bed = await HardeningBed.start({
      flags: [...timeouts, "--max-connections", "20000"],
    });
    const base = { rss: await bed.rssMiB(), fds: bed.fileDescriptors() };
    for (const [name, { within, ...doing }] of crowds) {
      await t.step(`${count} clients, ${name}`, async () => {
        await using crowd = await Crowd.start({ port: bed.port, count, ...doing });
        const purchases = await bed.payOften(20);
        const rss = await bed.rssMiB();
        const { closed, refused, ms } = await crowd.closed();
        figures(`${closed} clients, ${name}`, {
          "longest purchase ms": longest(purchases),
          "closed after ms": ms,
          "RSS MiB": `${Math.round(base.rss)} -> ${Math.round(rss)}`,
        });
        assertServed(purchases);
        assert.equal(refused, 0);
        assert.ok(ms < within, `the last one was closed after ${ms} ms`);
        assert.ok(rss < base.rss + count * kibEach / 1024 + slackMiB, `${rss} MiB`);
        await bed.closedDownTo(base.fds + slackFds);
      });
    }
  },
);
