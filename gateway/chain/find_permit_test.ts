import assert from "node:assert/strict";
import type { Chain } from "../../tests/rig/chain.ts";
import { find, makePayment, startUsdcChain } from "../../tests/support/usdc_payments.ts";
import { ChainError, type SignedTransfer } from "./on_chain.ts";
import {
  batcher,
  invalidate,
  placePermit2,
  settlePermit,
  transferPlainly,
  useUp,
} from "../../tests/support/permit2_payments.ts";

let lastNonce = 2n ** 255n + 254n;

async function makePermit(chain: Chain): Promise<SignedTransfer> {
  const { transfer } = await makePayment(chain);
  return { ...transfer, method: "permit2", nonce: String(++lastNonce) };
}

/** To beyond the time in which a payment could have been settled, and the margin of a minute. */
async function pass({ client }: Chain, { validBefore: deadline }: SignedTransfer): Promise<void> {
  await client.setNextBlockTimestamp({ timestamp: deadline + 61n });
  await client.mine({ blocks: 1 });
}

Deno.test("a Permit2 payment is followed from unused to settled or void", async (t) => {
  await using chain = await startUsdcChain();
  await placePermit2(chain);

  await t.step("unused, next to a used one", async () => {
    const [transfer, other] = [await makePermit(chain), await makePermit(chain)];
    await settlePermit(chain, other);
    assert.deepEqual(await find(chain.rpcUrl, transfer), { kind: "unused", expired: false });
  });

  for (const form of ["settle", "settleWithPermit"] as const) {
    await t.step(`settled by ${form}, among others of the same amount`, async () => {
      await placePermit2(chain, form);
      const [transfer, other] = [await makePermit(chain), await makePermit(chain)];
      await settlePermit(chain, other, form);
      await transferPlainly(chain, transfer);
      const transaction = await settlePermit(chain, transfer, form);
      await settlePermit(chain, await makePermit(chain), form);
      assert.deepEqual(await find(chain.rpcUrl, transfer), { kind: "settled", transaction });
    });
  }
  await placePermit2(chain);

  await t.step("void by invalidation or other use, once that is sure", async () => {
    const [invalidated, elsewhere] = [await makePermit(chain), await makePermit(chain)];
    await invalidate(chain, invalidated);
    await useUp(chain, elsewhere);
    // Another payment with its own nonce, and a transfer with none, are not theirs.
    await settlePermit(chain, await makePermit(chain));
    await transferPlainly(chain, elsewhere);
    await settlePermit(chain, { ...await makePermit(chain), amount: 999n }, "settle", batcher);
    for (const transfer of [invalidated, elsewhere]) {
      await assert.rejects(find(chain.rpcUrl, transfer), /is used, by what is not clear yet/);
    }
    await pass(chain, elsewhere);
    assert.deepEqual(await find(chain.rpcUrl, invalidated), { kind: "cancelled" });
    assert.deepEqual(await find(chain.rpcUrl, elsewhere), { kind: "used_elsewhere" });
  });

  await t.step("settled with another amount or recipient is not settled", async () => {
    const transfer = await makePermit(chain);
    await settlePermit(chain, { ...transfer, amount: 999n });
    await pass(chain, transfer);
    assert.deepEqual(await find(chain.rpcUrl, transfer), { kind: "used_elsewhere" });
    const toSelf = await makePermit(chain);
    await settlePermit(chain, { ...toSelf, payTo: toSelf.payer });
    await pass(chain, toSelf);
    assert.deepEqual(await find(chain.rpcUrl, toSelf), { kind: "used_elsewhere" });
  });

  await t.step("in doubt where a contract called the proxy", async () => {
    const transfer = await makePermit(chain);
    await settlePermit(chain, transfer, "settle", batcher);
    await pass(chain, transfer);
    await assert.rejects(
      find(chain.rpcUrl, transfer),
      (error: Error) => error instanceof ChainError && /may or may not settle/.test(error.message),
    );
  });
});

Deno.test("an unused Permit2 payment is expired after its deadline, not at it", async () => {
  await using chain = await startUsdcChain();
  await placePermit2(chain);
  const transfer = await makePermit(chain);
  for (const [time, expired] of [[0n, false], [1n, true]] as const) {
    await chain.client.setNextBlockTimestamp({ timestamp: transfer.validBefore + time });
    await chain.client.mine({ blocks: 1 });
    const found = await find(chain.rpcUrl, transfer, { marginSeconds: 0n });
    assert.deepEqual(found, { kind: "unused", expired });
  }
});
