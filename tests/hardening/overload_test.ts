/** More work than can be done. */
import assert from "node:assert/strict";
import type { RawReply } from "../../gateway/front/raw_client.ts";
import { HardeningBed } from "./hardening_bed.ts";
import { figures, hardeningTest, sized } from "./size.ts";

interface Outcome {
  readonly reply: RawReply | undefined;
  readonly ms: number;
}

async function timed(asking: Promise<RawReply>): Promise<Outcome> {
  const start = performance.now();
  const reply = await asking.catch(() => undefined);
  return { reply, ms: performance.now() - start };
}

/** Every refusal says when to come back, and came while the work was still going on. */
function assertRefusals(outcomes: readonly Outcome[], withinMs: number): Outcome[] {
  const refused = outcomes.filter(({ reply }) => reply?.status === 503);
  for (const { reply, ms } of refused) {
    assert.match(reply!.head, /^retry-after: \d+\r$/m);
    assert.ok(ms < withinMs, `a refusal took ${ms} ms`);
  }
  return refused;
}

function tally(outcomes: readonly Outcome[]): string {
  const counts = new Map<number, number>();
  for (const { reply } of outcomes) {
    const status = reply?.status ?? 0;
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  return [...counts].map(([status, count]) => `${status}: ${count}`).join(" ");
}

/** Ms that the backend takes for each of the requests below. */
const slowMs = sized(2_000, 4_000);
const clients = sized(300, 1_500);

hardeningTest(
  "a backend that takes no more: 503 at once, and what it has taken is finished",
  async () => {
    const limits = ["--upstream-max-connections", "10", "--upstream-max-waiting", "10"];
    await using bed = await HardeningBed.start({ flags: limits });
    const asking = Array.from({ length: clients }, () => timed(bed.ask(`/slow?ms=${slowMs}`)));
    const outcomes = await Promise.all(asking);
    const refused = assertRefusals(outcomes, slowMs + 3_000);
    figures(`${clients} requests to a backend that takes 20`, {
      statuses: tally(outcomes),
      "longest refusal ms": Math.round(Math.max(...refused.map(({ ms }) => ms))),
    });
    const served = outcomes.filter(({ reply }) => reply?.status === 200);
    // Of each isolate, of which one may have got fewer requests than it could take.
    assert.ok(served.length >= 10 && served.length <= 40, `${served.length} were served`);
    assert.equal(served.length + refused.length, clients);
    assert.equal((await bed.pay()).status, 200, "and when it is over, it is over");
  },
);

hardeningTest(
  "more clients than there may be connections: 503 at once, paid work is finished",
  async () => {
    await using bed = await HardeningBed.start({ flags: ["--max-connections", "100"] });
    const { promise: verified, resolve: verify } = Promise.withResolvers<void>();
    const { answers, received } = bed.facilitator;
    const before = received["/verify"].length;
    answers["/verify"] = { json: { isValid: true }, after: verified };
    const paying = Promise.all(Array.from({ length: 10 }, () => bed.pay()));
    while (received["/verify"].length < before + 10) await bed.facilitator.called("/verify");
    const asking = Array.from({ length: clients }, () => timed(bed.ask(`/slow?ms=${slowMs}`)));
    const outcomes = await Promise.all(asking);
    verify();
    const purchases = await paying;
    const refused = assertRefusals(outcomes, slowMs);
    figures(`${clients} clients of a gateway with twice 100 connections`, {
      statuses: tally(outcomes),
      "longest refusal ms": Math.round(Math.max(...refused.map(({ ms }) => ms))),
      purchases: purchases.map(({ status }) => status).join(" "),
    });
    assert.deepEqual([...new Set(purchases.map(({ status }) => status))], [200]);
    assert.ok(refused.length >= clients - 200, "two isolates take 100 each");
    assert.equal(outcomes.filter(({ reply }) => reply === undefined).length, 0, "all are told");
    assert.equal((await bed.pay()).status, 200, "and when it is over, it is over");
  },
);
