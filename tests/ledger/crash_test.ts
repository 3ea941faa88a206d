/**
 * kill -9 right before and after every move of the state machine, with real money: a process that
 * comes after finds out what happened, the books balance with the chain, and the buyer who sends the
 * same payment again gets what it paid for, or may pay.
 */
import assert from "node:assert/strict";
import { openStates, type PaymentState } from "../../store/ledger/payment_state.ts";
import type { PaymentTerms } from "../../store/route_snapshot.ts";
import { startMarket } from "../rig/rig.ts";
import type { CrashPoint } from "../support/crashing_gateway.ts";
import { type CrashBed, crashBed, price } from "./crash_bed.ts";
import { startCrashingGateway } from "./crashing_gateway_process.ts";

/** What happens to the payment before or while its gateway dies. */
type Story =
  | "all goes well"
  | "nobody signed it"
  | "the backend fails"
  | "the settlement's answer is lost"
  | "the buyer leaves"
  /** The gateway that dies is the second one; the reply of the first was lost. */
  | "the reply is fetched again";

interface Crash {
  readonly settle: PaymentTerms["settle"];
  readonly story: Story;
  readonly when: "before" | "after";
  readonly move: CrashPoint;
  /** What is true once the next process has looked: on record, on the chain, at the backend. */
  readonly found: PaymentState | "nothing";
  readonly paid: boolean;
  readonly calls: number;
  /** Status of the same payment sent again. */
  readonly again: number;
}

function crash(
  settle: Crash["settle"],
  point: string,
  found: Crash["found"],
  [paid, calls]: readonly ["paid" | "unpaid", number],
  again: number,
  story: Story = "all goes well",
): Crash {
  const [when, move] = point.split(" ") as [Crash["when"], CrashPoint];
  return { settle, story, when, move, found, paid: paid === "paid", calls, again };
}

const after = "after-response";
const before = "before-request";
const lost = "the settlement's answer is lost";
const leaves = "the buyer leaves";
const again = "the reply is fetched again";
const crashes: readonly Crash[] = [
  crash(after, "before reserved", "nothing", ["unpaid", 0], 200),
  crash(after, "after reserved", "released", ["unpaid", 0], 200),
  crash(after, "before verified", "released", ["unpaid", 0], 200),
  // The backend may have been called from here on, so it is not called again for nothing.
  crash(after, "after verified", "released", ["unpaid", 0], 402),
  crash(after, "before settling", "released", ["unpaid", 1], 402),
  // In doubt; the chain says that nothing has moved so far.
  crash(after, "after settling", "unknown", ["unpaid", 1], 503),
  crash(after, "before settled", "undelivered", ["paid", 1], 200),
  crash(after, "after settled", "undelivered", ["paid", 1], 200),
  crash(after, "before delivered", "undelivered", ["paid", 1], 200),
  crash(after, "after delivered", "delivered", ["paid", 1], 402),
  crash(before, "after reserved", "released", ["unpaid", 0], 200),
  crash(before, "before settling", "released", ["unpaid", 0], 200),
  crash(before, "after settling", "unknown", ["unpaid", 0], 503),
  crash(before, "before settled", "undelivered", ["paid", 0], 200),
  crash(before, "after settled", "undelivered", ["paid", 0], 200),
  crash(before, "before delivered", "undelivered", ["paid", 1], 200),
  crash(before, "after delivered", "delivered", ["paid", 1], 402),
  crash(after, "before rejected", "released", ["unpaid", 0], 402, "nobody signed it"),
  crash(after, "after rejected", "rejected", ["unpaid", 0], 402, "nobody signed it"),
  crash(before, "before rejected", "unknown", ["unpaid", 0], 503, "nobody signed it"),
  crash(before, "after rejected", "rejected", ["unpaid", 0], 402, "nobody signed it"),
  crash(after, "before released", "released", ["unpaid", 1], 402, "the backend fails"),
  crash(after, "after released", "released", ["unpaid", 1], 402, "the backend fails"),
  crash(after, "before unknown", "undelivered", ["paid", 1], 200, lost),
  crash(after, "after unknown", "undelivered", ["paid", 1], 200, lost),
  crash(before, "before unknown", "undelivered", ["paid", 0], 200, lost),
  crash(before, "after unknown", "undelivered", ["paid", 0], 200, lost),
  crash(after, "after takeDoubtful", "undelivered", ["paid", 1], 200, lost),
  crash(after, "before resolve", "undelivered", ["paid", 1], 200, lost),
  crash(after, "after resolve", "undelivered", ["paid", 1], 200, lost),
  crash(after, "before undelivered", "undelivered", ["paid", 1], 200, leaves),
  crash(after, "after undelivered", "undelivered", ["paid", 1], 200, leaves),
  crash(after, "before reserved", "undelivered", ["paid", 1], 200, again),
  crash(after, "after reserved", "undelivered", ["paid", 1], 200, again),
  crash(after, "before delivered", "undelivered", ["paid", 2], 200, again),
  crash(after, "after delivered", "delivered", ["paid", 2], 402, again),
];

const pathOf = (story: Story): string =>
  ({ [leaves]: "/stream?events=0&interval=10", "the backend fails": "/paid?status=500" } as Record<
    string,
    string
  >)[story] ?? "/paid";

/** Sends the payment to the gateway that is going to die of it. */
async function play({ story }: Crash, bed: CrashBed, url: string): Promise<void> {
  const reply = await bed.pay(url, pathOf(story));
  const reader = reply.body?.getReader();
  await reader?.read();
  await reader?.cancel();
}

Deno.test("kill -9 at each move: the books balance with the chain afterwards", async (t) => {
  await using market = await startMarket();
  for (const crash of crashes) {
    await t.step(`${crash.settle}, ${crash.story}: ${crash.when} ${crash.move}`, async () => {
      const forged = crash.story === "nobody signed it" ? { domain: { name: "forged" } } : {};
      await using bed = await crashBed(market, crash.settle, forged);
      if (crash.story === lost) bed.facilitator.fault = "reset after settling";
      if (crash.story === again) await loseReply(bed);
      const { when, move } = crash;
      {
        await using dying = await startCrashingGateway({ ...bed.plan, crash: { when, move } });
        await play(crash, bed, dying.url).catch(() => {});
        await market.chain.client.mine({ blocks: 5 });
        assert.equal(await dying.process.ended, 137, "it was killed");
      }
      await using next = await startCrashingGateway(bed.plan);
      await market.chain.client.mine({ blocks: 5 });
      const [row] = await bed.rows((rows) =>
        rows.every(({ state }) => state === crash.found || !openStates.includes(state))
      );
      assert.equal(row?.state ?? "nothing", crash.found);
      assert.equal(await bed.earned(), crash.paid ? price : 0n);
      assert.equal(bed.calls(), crash.calls);
      if (crash.found === "undelivered") assert.match(row!.transaction!, /^0x[0-9a-f]{64}$/);
      bed.facilitator.fault = "none";
      const reply = await bed.pay(next.url, pathOf(crash.story));
      await reply.body?.cancel();
      assert.equal(reply.status, crash.again);
      const paid = crash.paid || crash.again === 200;
      assert.equal(await bed.earned(), paid ? price : 0n, "moved once at the most");
    });
  }
});

/** A first gateway takes the payment, and dies before the reply is known to have arrived. */
async function loseReply(bed: CrashBed): Promise<void> {
  const crash = { when: "before", move: "delivered" } as const;
  await using first = await startCrashingGateway({ ...bed.plan, crash });
  await bed.pay(first.url).then((reply) => reply.body?.cancel()).catch(() => {});
  await first.process.ended;
  await using second = await startCrashingGateway(bed.plan);
  await bed.rows(([row]) => row?.state === "undelivered");
  await second.process.stop("SIGKILL");
}
