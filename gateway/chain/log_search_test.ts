import assert from "node:assert/strict";
import type { Hex } from "viem";
import type { Chain } from "../../tests/rig/chain.ts";
import { ChainReader } from "./chain_reader.ts";
import {
  find,
  makePayment,
  type Misbehave,
  network,
  send,
  startNode,
  startUsdcChain,
} from "../../tests/support/usdc_payments.ts";
import { ChainError } from "./on_chain.ts";

/** Refuses ranges of more than `limit` blocks, in the way of one of the big providers. */
function rangeLimit(limit: number, refusal: () => object): Misbehave {
  return ({ method, params }) => {
    if (method !== "eth_getLogs") return undefined;
    const { fromBlock, toBlock } = params[0] as { fromBlock: string; toBlock: string };
    return Number(toBlock) - Number(fromBlock) >= limit ? refusal() : undefined;
  };
}

const code = -32005;
const refusals: Readonly<Record<string, () => object>> = {
  "with an error": () => ({ error: { code, message: "query exceeds limit" } }),
  "with status 400": () =>
    Response.json({ id: null, error: { code, message: "Block range limit" } }, { status: 400 }),
  "with status 413": () => new Response("too large", { status: 413 }),
  "with an endless answer": () => new Response("[" + " ".repeat(5 * 1024 * 1024)),
};

/** Anvil takes longer the more blocks it has: a minute for 5,000. */
const blocksBefore = Deno.env.get("X402_TEST_LONG") === "1" ? 5000 : 500;
const secondsPerBlock = 60;

async function mine({ client }: Chain, blocks: number): Promise<void> {
  for (let mined = 0; mined < blocks; mined += 100) {
    await client.mine({ blocks: 100, interval: secondsPerBlock });
  }
}

Deno.test(`a settlement is found ${blocksBefore} blocks later, also with nodes that allow few at once`, async (t) => {
  await using chain = await startUsdcChain();
  const { transfer, call } = await makePayment(chain, { validBefore: "9999999999" });
  await mine(chain, blocksBefore);
  const transaction = await send(chain, [call]);
  await mine(chain, 200);
  const expected = { kind: "settled", transaction };

  await t.step("without a limit", async () => {
    await using node = startNode(chain, () => undefined);
    assert.deepEqual(await find(node.url, transfer), expected);
    assert.ok(node.methods.length < 20, node.methods.join(" "));
  });
  for (const [how, refusal] of Object.entries(refusals)) {
    await t.step(`up to 100 blocks, refused ${how}`, async () => {
      await using node = startNode(chain, rangeLimit(100, refusal));
      assert.deepEqual(await find(node.url, transfer), expected);
    });
  }
  await t.step("up to 1 block", async () => {
    await using node = startNode(chain, rangeLimit(1, refusals["with an error"]!));
    const since = transfer.since + (blocksBefore - 20) * secondsPerBlock * 1000;
    assert.deepEqual(await find(node.url, { ...transfer, since }), expected);
  });
  await t.step(
    "what a node allows is known for the next search, which begins where it has to",
    async () => {
      const asked: number[] = [];
      const limit = rangeLimit(10, refusals["with an error"]!);
      await using node = startNode(chain, (call) => {
        if (call.method === "eth_getLogs") {
          asked.push(Number((call.params[0] as { fromBlock: string }).fromBlock));
        }
        return limit(call);
      });
      const reader = new ChainReader(new Map([[network, node.url]]), { confirmations: 0n });
      assert.deepEqual(await reader.find(transfer), expected);
      const receipt = await chain.client.getTransactionReceipt({ hash: transaction as Hex });
      const number = Number(receipt.blockNumber);

      asked.length = 0;
      const since = transfer.since + (blocksBefore - 50) * secondsPerBlock * 1000;
      assert.deepEqual(await reader.find({ ...transfer, since }), expected);
      // Ten minutes, or ten blocks, before that time, and at most a piece more.
      assert.ok(asked[0]! > number - 80 && asked[0]! <= number - 60, `${asked[0]} of ${number}`);
      assert.equal(asked.length, Math.floor((number - asked[0]!) / (asked[1]! - asked[0]!)) + 1);

      const tooLate = transfer.since + (blocksBefore + 50) * secondsPerBlock * 1000;
      await assert.rejects(
        reader.find({ ...transfer, since: tooLate }),
        (error: Error) => error instanceof ChainError && /is in no log/.test(error.message),
      );
      reader.close();
    },
  );
});
