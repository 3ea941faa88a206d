import assert from "node:assert/strict";
import type { Address, Hex } from "viem";
import {
  cancelCall,
  find,
  makePayment,
  network,
  send,
  startUsdcChain,
} from "../../tests/support/usdc_payments.ts";
import { ChainReader } from "./chain_reader.ts";

Deno.test("an authorization is followed from unused to settled or cancelled", async (t) => {
  await using chain = await startUsdcChain();

  await t.step("unused", async () => {
    const { transfer } = await makePayment(chain);
    assert.deepEqual(await find(chain.rpcUrl, transfer), { kind: "unused", expired: false });
  });

  for (const sender of [0, 3, 5]) {
    await t.step(`settled by account ${sender}`, async () => {
      const { transfer, call } = await makePayment(chain);
      const transaction = await send(chain, [call], sender);
      assert.deepEqual(await find(chain.rpcUrl, transfer), { kind: "settled", transaction });
    });
  }

  await t.step("cancelled", async () => {
    const payment = await makePayment(chain);
    await send(chain, [await cancelCall(payment)]);
    assert.deepEqual(await find(chain.rpcUrl, payment.transfer), { kind: "cancelled" });
  });

  await t.step("signed a second time, for another amount or recipient", async () => {
    const { transfer } = await makePayment(chain);
    const nonce = transfer.nonce as Hex;
    const { call } = await makePayment(chain, { nonce, value: "999" });
    await send(chain, [call]);
    assert.deepEqual(await find(chain.rpcUrl, transfer), { kind: "used_elsewhere" });

    const second = await makePayment(chain);
    const toSelf = await makePayment(chain, {
      nonce: second.transfer.nonce as Hex,
      to: transfer.payer as Address,
    });
    await send(chain, [toSelf.call]);
    assert.deepEqual(await find(chain.rpcUrl, second.transfer), { kind: "used_elsewhere" });
  });

  await t.step("not settled by another payment's transfer in the same transaction", async () => {
    for (const paidFirst of [true, false]) {
      const [paid, withheld] = [await makePayment(chain), await makePayment(chain)];
      const toSelf = await makePayment(chain, {
        nonce: withheld.transfer.nonce as Hex,
        to: withheld.transfer.payer as Address,
      });
      const calls = [paid.call, toSelf.call];
      const transaction = await send(chain, paidFirst ? calls : calls.toReversed());
      assert.deepEqual(await find(chain.rpcUrl, withheld.transfer), { kind: "used_elsewhere" });
      assert.deepEqual(await find(chain.rpcUrl, paid.transfer), { kind: "settled", transaction });
    }
  });

  await t.step("settled together with others, among many payments of the same amount", async () => {
    const payments = await Promise.all(Array.from({ length: 20 }, () => makePayment(chain)));
    const transaction = await send(chain, payments.slice(0, 10).map(({ call }) => call));
    for (const { call } of payments.slice(10, 19)) await send(chain, [call]);
    assert.deepEqual(await find(chain.rpcUrl, payments[7]!.transfer), {
      kind: "settled",
      transaction,
    });
    assert.deepEqual(await find(chain.rpcUrl, payments[19]!.transfer), {
      kind: "unused",
      expired: false,
    });
  });

  await t.step("a settlement counts when there are blocks on top of it", async () => {
    const { transfer, call } = await makePayment(chain);
    const transaction = await send(chain, [call]);
    const deep = { confirmations: 2n };
    for (const expected of ["unused", "unused", "settled"]) {
      const found = await find(chain.rpcUrl, transfer, deep);
      assert.equal(found.kind, expected);
      if (found.kind === "settled") assert.equal(found.transaction, transaction);
      await chain.client.mine({ blocks: 1 });
    }
  });

  await t.step("networks without a node are not covered", async () => {
    const reader = new ChainReader(new Map([[network, chain.rpcUrl]]));
    const { transfer } = await makePayment(chain);
    assert.deepEqual([reader.covers(network), reader.covers("eip155:1")], [true, false]);
    await assert.rejects(reader.find({ ...transfer, network: "eip155:1" }), TypeError);
    reader.close();
  });
});

Deno.test("an unused authorization is expired a margin after its end, by the chain's clock", async () => {
  await using chain = await startUsdcChain();
  const { transfer } = await makePayment(chain);
  const { validBefore } = transfer;
  for (
    const [time, marginSeconds, expired] of [
      [validBefore - 1n, 0n, false],
      [validBefore, 0n, true],
      [validBefore + 59n, 60n, false],
      [validBefore + 60n, 60n, true],
    ] as const
  ) {
    await chain.client.setNextBlockTimestamp({ timestamp: time });
    await chain.client.mine({ blocks: 1 });
    const found = await find(chain.rpcUrl, transfer, { marginSeconds });
    assert.deepEqual(found, { kind: "unused", expired }, `${time - validBefore} s`);
  }
});
