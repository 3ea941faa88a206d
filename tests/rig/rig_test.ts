import assert from "node:assert/strict";
import { devAccount } from "../../commands/pay_wallet.ts";
import type { Facilitator } from "./facilitator.ts";
import { startMarket } from "./rig.ts";
import { signPayment, usdcRequirements } from "./sign_payment.ts";
import type { Usdc } from "./usdc.ts";

const buyer = 3;
const price = 1000n;

Deno.test("the rig moves money once per payment, in both protocol versions", async (t) => {
  await using market = await startMarket();
  const { usdc } = market;
  const payer = (await devAccount(buyer)).address;
  const merchant = (await devAccount(2)).address;
  await usdc.mint(payer, 1_000_000n);

  for (const version of [1, 2] as const) {
    await t.step(`version ${version}: verify, settle, refuse the replay`, async () => {
      const before = [await usdc.balanceOf(payer), await usdc.balanceOf(merchant)] as const;
      const requirements = usdcRequirements(version, String(price), merchant);
      const payment = await signPayment({ version, buyer, requirements });
      const { nonce } = payment.authorization;

      const verified = await market.facilitator.post("verify", payment.facilitatorMessage);
      assert.deepEqual([verified.isValid, verified.payer], [true, payer]);
      assert.equal(await usdc.authorizationUsed(payer, nonce), false);

      const settled = await market.facilitator.post("settle", payment.facilitatorMessage);
      assert.equal(settled.success, true, JSON.stringify(settled));
      assert.match(String(settled.transaction), /^0x[0-9a-f]{64}$/);
      assert.equal(await usdc.authorizationUsed(payer, nonce), true);

      const replayed = await market.facilitator.post("verify", payment.facilitatorMessage);
      assert.equal(replayed.isValid, false);
      assert.equal(replayed.invalidReason, "invalid_exact_evm_nonce_already_used");
      const resettled = await market.facilitator.post("settle", payment.facilitatorMessage);
      assert.equal(resettled.success, false);
      assert.equal(await usdc.balanceOf(payer), before[0] - price);
      assert.equal(await usdc.balanceOf(merchant), before[1] + price);
    });
  }

  await t.step(
    "bad payments are refused for the reason that they were made for",
    () => refusals(market.facilitator, usdc),
  );
  await t.step("20 payments settle at once", () => parallelSettlements(market.facilitator, usdc));
});

async function refusals(facilitator: Facilitator, usdc: Usdc) {
  const merchant = (await devAccount(2)).address;
  const other = (await devAccount(5)).address;
  const requirements = usdcRequirements(2, String(price), merchant);
  const now = Math.floor(Date.now() / 1000);
  const cases = {
    invalid_exact_evm_payload_authorization_value_mismatch: { authorization: { value: "999" } },
    invalid_exact_evm_recipient_mismatch: { authorization: { to: other } },
    invalid_exact_evm_payload_authorization_valid_before: {
      authorization: { validBefore: String(now - 1) },
    },
    invalid_exact_evm_payload_authorization_valid_after: {
      authorization: { validAfter: String(now + 3600) },
    },
    invalid_exact_evm_signature: { domain: { chainId: 1 } },
    invalid_exact_evm_insufficient_balance: { buyer: 6 },
  };
  const before = await usdc.balanceOf(merchant);
  for (const [reason, change] of Object.entries(cases)) {
    const payment = await signPayment({ version: 2, buyer, requirements, ...change });
    const verified = await facilitator.post("verify", payment.facilitatorMessage);
    assert.deepEqual([verified.isValid, verified.invalidReason], [false, reason]);
  }
  assert.equal(await usdc.balanceOf(merchant), before);
}

async function parallelSettlements(facilitator: Facilitator, usdc: Usdc) {
  const merchant = (await devAccount(2)).address;
  const before = await usdc.balanceOf(merchant);
  const requirements = usdcRequirements(2, String(price), merchant);
  const payments = await Promise.all(
    Array.from({ length: 20 }, () => signPayment({ version: 2, buyer, requirements })),
  );
  const settled = await Promise.all(
    payments.map((payment) => facilitator.post("settle", payment.facilitatorMessage)),
  );
  assert.deepEqual(settled.filter(({ success }) => success !== true), []);
  assert.equal(await usdc.balanceOf(merchant), before + 20n * price);
}

Deno.test("several rigs run in one process without sharing account nonces", async () => {
  const owner = (await devAccount(4)).address;
  for (let round = 0; round < 2; round++) {
    await using market = await startMarket();
    await Promise.all([1n, 2n, 3n].map((amount) => market.usdc.mint(owner, amount)));
    assert.equal(await market.usdc.balanceOf(owner), 6n);
  }
});
