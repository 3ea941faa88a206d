import assert from "node:assert/strict";
import { find, makePayment, type Misbehave, send, startNode, startUsdcChain } from "./chain_rig.ts";
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

Deno.test("a settlement is found thousands of blocks later, also with nodes that allow few at once", async (t) => {
  await using chain = await startUsdcChain();
  const { transfer, call } = await makePayment(chain, { validBefore: "9999999999" });
  await chain.client.mine({ blocks: 5000, interval: 2 });
  const transaction = await send(chain, [call]);
  await chain.client.mine({ blocks: 3000, interval: 2 });
  const expected = { kind: "settled", transaction };

  await t.step("without a limit", async () => {
    await using node = startNode(chain, () => undefined);
    assert.deepEqual(await find(node.url, transfer), expected);
    assert.ok(node.methods.length < 25, node.methods.join(" "));
  });
  for (const [how, refusal] of Object.entries(refusals)) {
    await t.step(`up to 500 blocks, refused ${how}`, async () => {
      await using node = startNode(chain, rangeLimit(500, refusal));
      assert.deepEqual(await find(node.url, transfer), expected);
    });
  }
  await t.step("up to 10 blocks", async () => {
    await using node = startNode(chain, rangeLimit(10, refusals["with an error"]!));
    assert.deepEqual(await find(node.url, transfer), expected);
  });
  await t.step(
    "a search begins at the time from which the payment can have been used",
    async () => {
      await using node = startNode(chain, () => undefined);
      const since = transfer.since + 4900 * 2 * 1000;
      assert.deepEqual(await find(node.url, { ...transfer, since }), expected);
      const tooLate = transfer.since + 6500 * 2 * 1000;
      await using small = startNode(chain, rangeLimit(100, refusals["with an error"]!));
      await assert.rejects(
        find(small.url, { ...transfer, since: tooLate }),
        (error: Error) => error instanceof ChainError && /is in no log/.test(error.message),
      );
    },
  );
});
