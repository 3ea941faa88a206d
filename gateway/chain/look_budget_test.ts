import assert from "node:assert/strict";
import {
  type Answer,
  blockAt,
  network,
  oldPayment,
  refusal,
  startLongChain,
  word,
} from "../../tests/support/long_chain.ts";
import { addressWord, eventTopic } from "./abi.ts";
import { ChainReader, type ChainReaderSettings } from "./chain_reader.ts";
import { ChainError } from "./on_chain.ts";

const hour = 3_600;
const day = 24 * hour;

function limitTo(blocks: number): Answer {
  return ({ method, count }) =>
    method === "eth_getLogs" && count > blocks ? refusal("too many blocks") : undefined;
}

async function withReader(
  answer: Answer,
  work: (reader: ChainReader, node: ReturnType<typeof startLongChain>) => Promise<void>,
  settings: Partial<ChainReaderSettings> = {},
): Promise<void> {
  await using node = startLongChain(answer);
  const reader = new ChainReader(new Map([[network, node.url]]), settings);
  await work(reader, node);
  reader.close();
}

function says(pattern: RegExp) {
  return (error: unknown) => error instanceof ChainError && pattern.test(error.message);
}

Deno.test("a node that dropped its logs costs few calls, however far the head is", async () => {
  for (const [seconds, limit, most] of [[hour, 2000, 50], [day, 2000, 75], [hour, 500, 55]]) {
    await withReader(limitTo(limit!), async (reader, { calls }) => {
      const payment = oldPayment(seconds!);
      await assert.rejects(reader.find(payment), says(/is in no log/));
      assert.ok(calls.length <= most!, `${calls.length} calls`);
      const logs = calls.filter(({ method }) => method === "eth_getLogs");
      const last = Math.max(...logs.map(({ block, count }) => block + count - 1));
      const over = last - blockAt(payment.validBefore);
      // The margin is 30 blocks.
      assert.ok(over >= 30 && over <= 50, `${over} blocks after the end`);
      const early = blockAt(payment.since / 1000) - logs[0]!.block;
      assert.ok(early >= 300 && early <= 320, `${early} blocks before the start`);
    });
  }
});

Deno.test("a day of blocks in pieces of ten: the budget of calls ends it, and nothing is remembered", async () => {
  await withReader(limitTo(10), async (reader, { calls }) => {
    for (const first of [true, false]) {
      calls.length = 0;
      const found = reader.find(oldPayment(day));
      await assert.rejects(found, says(/^not found within the budget of 200 calls$/));
      // The chain's id is asked for once, and not counted.
      assert.equal(calls.length, first ? 201 : 200);
      const ranges = calls.filter(({ method }) => method === "eth_getLogs");
      assert.deepEqual(ranges.slice(0, 6).map(({ count }) => count), [
        2000,
        1000,
        500,
        100,
        50,
        10,
      ]);
    }
  });
});

Deno.test("refusals for another reason do not make the pieces small for ever", async () => {
  let isAway = true;
  const answer: Answer = ({ method }) =>
    isAway && method === "eth_getLogs" ? refusal("come back later") : undefined;
  await withReader(answer, async (reader, { calls }) => {
    await assert.rejects(reader.find(oldPayment(day)), says(/come back later/));
    isAway = false;
    calls.length = 0;
    await assert.rejects(reader.find(oldPayment(day)), says(/is in no log/));
    assert.ok(calls.length <= 75, `${calls.length} calls`);
  });
});

Deno.test("what a node allows is known for the next look, until one fails", async () => {
  const payment = oldPayment(hour);
  let [limit, isLogThere] = [10, true];
  const cancelled = {
    address: payment.asset,
    topics: [
      eventTopic("AuthorizationCanceled(address,bytes32)"),
      `0x${addressWord(payment.payer)}`,
      payment.nonce,
    ],
    data: "0x",
    blockHash: word(1),
    transactionHash: word(2),
    logIndex: "0x0",
  };
  await withReader((call) => {
    const { method, block, count } = call;
    if (method !== "eth_getLogs" || count > limit || !isLogThere) return limitTo(limit)(call);
    return { result: [{ ...cancelled, blockNumber: `0x${block.toString(16)}` }] };
  }, async (reader, { calls }) => {
    const firstRange = async () => {
      calls.length = 0;
      await reader.find(payment).catch(() => {});
      return calls.find(({ method }) => method === "eth_getLogs")!.count;
    };
    assert.deepEqual(await reader.find(payment), { kind: "cancelled" });
    assert.equal(await firstRange(), 10);
    // It refuses everything, and then has nothing.
    [limit, isLogThere] = [0, false];
    assert.equal(await firstRange(), 10);
    limit = 2000;
    assert.ok(await firstRange() > 1000);
  });
});

Deno.test("the budget of time ends a look, with the call that is under way", async () => {
  await withReader(
    ({ method }) => method === "eth_getLogs" ? new Promise<never>(() => {}) : undefined,
    async (reader) => {
      const found = reader.find(oldPayment(hour));
      await assert.rejects(found, says(/^not found within the budget of 300 ms$/));
    },
    { lookMs: 300 },
  );
});

for (const method of ["eth_chainId", "eth_call", "eth_getLogs"]) {
  Deno.test(`a signal, or close, ends looks that wait for ${method} at once`, async () => {
    const reached = Promise.withResolvers<void>();
    await withReader((call) => {
      if (call.method !== method) return undefined;
      reached.resolve();
      return new Promise<never>(() => {});
    }, async (reader, { waiting }) => {
      const stop = new AbortController();
      const stopped = reader.find(oldPayment(hour), stop.signal);
      // More than get a turn: the last ones wait in the queue.
      const others = Array.from({ length: 6 }, () => reader.find(oldPayment(hour)));
      let open = others.length;
      for (const other of others) other.catch(() => open--);
      await reached.promise;
      const reason = new Error("enough");
      stop.abort(reason);
      const start = performance.now();
      await assert.rejects(stopped, reason);
      assert.equal(open, 6, "others go on");
      reader.close();
      for (const other of others) await assert.rejects(other, says(/reader .* was closed/));
      assert.ok(performance.now() - start < 1_000);
      await assert.rejects(reader.find(oldPayment(hour)), says(/reader .* was closed/));
      while (waiting.now > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    });
  });
}

Deno.test("a signal that has aborted before asks nobody", async () => {
  await withReader(() => undefined, async (reader, { calls }) => {
    const reason = new Error("too late");
    await assert.rejects(reader.find(oldPayment(hour), AbortSignal.abort(reason)), reason);
    assert.equal(calls.length, 0);
  });
});

Deno.test("four calls at once to a node, and those who leave the queue take no turn with them", async () => {
  const slowly = async (): Promise<undefined> => {
    await new Promise((resolve) => setTimeout(resolve, 2));
  };
  await withReader(slowly, async (reader, { waiting }) => {
    const stop = new AbortController();
    const looks = Array.from(
      { length: 20 },
      (_, i) => reader.find(oldPayment(hour), i % 2 === 0 ? stop.signal : undefined),
    );
    looks[0]!.catch(() => {});
    await slowly();
    stop.abort(new Error("enough"));
    const ends = await Promise.allSettled(looks);
    const reasons = ends.map((end) => end.status === "rejected" && end.reason.message);
    assert.ok(reasons.every((reason, i) => i % 2 === 0 || /is in no log/.test(reason)));
    assert.equal(waiting.most, 4);
  });
});

Deno.test("an authorization that was cancelled when its time was over was never used", async () => {
  const payment = oldPayment(hour);
  const isOver = (block: number) => block > blockAt(payment.validBefore) + day / 2;
  const unused = (block: number) => ({ result: word(isOver(block) ? 1 : 0) });
  for (
    const [old, expected] of [
      [unused, { kind: "unused", expired: true }],
      [(block: number) => isOver(block) ? undefined : refusal("missing trie node"), undefined],
    ] as const
  ) {
    await withReader(
      ({ method, block }) => method === "eth_call" ? old(block) : undefined,
      async (reader) => {
        const found = reader.find(payment);
        if (expected) assert.deepEqual(await found, expected);
        else await assert.rejects(found, says(/is in no log/));
      },
    );
  }
});

Deno.test("a Permit2 payment whose logs were dropped is not taken for one used elsewhere", async () => {
  const payment = oldPayment(hour, "permit2");
  await withReader(() => undefined, async (reader, { calls }) => {
    await assert.rejects(reader.find(payment), says(/have dropped the logs/));
    assert.ok(calls.length <= 60, `${calls.length} calls`);
  });
  const anyLog: Answer = ({ method, count }) =>
    method === "eth_getLogs" && count === 1 ? { result: [{}] } : undefined;
  await withReader(anyLog, async (reader) => {
    assert.deepEqual(await reader.find(payment), { kind: "used_elsewhere" });
  });
});
