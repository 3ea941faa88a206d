import assert from "node:assert/strict";
import type { Address, Hex } from "viem";
import { devAccount } from "../commands/pay_wallet.ts";
import { buyerV1, buyerV2, type PayingFetch } from "./rig/buyers.ts";
import type { Rig } from "./rig/rig.ts";
import { type PaymentToSign, signPayment, usdcRequirements } from "./rig/sign_payment.ts";

/** What a scenario needs: the rig, and who pays whom in the sample manifests. */
export interface Scene {
  readonly rig: Rig;
  readonly buyer: Address;
  readonly seller: Address;
}

const buyerNumber = 1;
const poorNumber = 5;

export async function setScene(rig: Rig): Promise<Scene> {
  const buyer = (await devAccount(buyerNumber)).address;
  const seller = (await devAccount(2)).address;
  await rig.usdc.mint(buyer, 10_000_000n);
  return { rig, buyer, seller };
}

/** Atomic units that moved from buyer to seller, and calls that the API got, while `action` ran. */
async function effects<T>({ rig, buyer, seller }: Scene, action: () => Promise<T>) {
  const read = () => Promise.all([rig.usdc.balanceOf(buyer), rig.usdc.balanceOf(seller)]);
  const [buyerBefore, sellerBefore] = await read();
  const callsBefore = rig.api.received.length;
  const result = await action();
  const [buyerAfter, sellerAfter] = await read();
  assert.equal(buyerBefore - buyerAfter, sellerAfter - sellerBefore, "nothing is lost on the way");
  return {
    result,
    moved: sellerAfter - sellerBefore,
    calls: rig.api.received.length - callsBefore,
  };
}

async function sign({ seller }: Scene, change: Partial<PaymentToSign> = {}) {
  const requirements = usdcRequirements(change.version ?? 2, "1000", seller);
  return await signPayment({ version: 2, buyer: buyerNumber, requirements, ...change });
}

async function send({ rig }: Scene, header: [string, string], path = "/api/weather") {
  const response = await fetch(rig.gateway.url + path, { headers: [header] });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text };
}

function reasonOf(text: string): string {
  return JSON.parse(text).error;
}

type Scenario = (scene: Scene) => Promise<void>;

function buys(version: 1 | 2, buyer: (account: number) => Promise<PayingFetch>): Scenario {
  return async (scene) => {
    const pay = await buyer(buyerNumber);
    const { result, moved, calls } = await effects(scene, async () => {
      const response = await pay(`${scene.rig.gateway.url}/api/weather`);
      return { response, body: await response.json() };
    });
    assert.equal(result.response.status, 200);
    assert.equal(result.body.city, "Lisbon");
    assert.deepEqual([moved, calls], [1000n, 1]);
    const header = version === 2 ? "payment-response" : "x-payment-response";
    const receipt = JSON.parse(atob(result.response.headers.get(header)!));
    assert.equal(receipt.success, true);
    const { status } = await scene.rig.chain.client.getTransactionReceipt({
      hash: receipt.transaction,
    });
    assert.equal(status, "success", "the receipt names the transaction that moved the money");
  };
}

const now = () => Math.floor(Date.now() / 1000);
const other = "0x1111111111111111111111111111111111111111";

/** Each is refused with 402 and this reason; no money moves and the API is not called. */
const badPayments: [name: string, change: () => Partial<PaymentToSign>, reason: string][] = [
  [
    "too little",
    () => ({ authorization: { value: "999" } }),
    "invalid_exact_evm_payload_authorization_value_mismatch",
  ],
  [
    "too much",
    () => ({ authorization: { value: "1001" } }),
    "invalid_exact_evm_payload_authorization_value_mismatch",
  ],
  [
    "another recipient",
    () => ({ authorization: { to: other } }),
    "invalid_exact_evm_payload_recipient_mismatch",
  ],
  [
    "expired",
    () => ({ authorization: { validBefore: String(now() - 1) } }),
    "invalid_exact_evm_payload_authorization_valid_before",
  ],
  [
    "not yet valid",
    () => ({ authorization: { validAfter: String(now() + 60) } }),
    "invalid_exact_evm_payload_authorization_valid_after",
  ],
  ["another chain", () => ({ domain: { chainId: 8453 } }), "invalid_exact_evm_signature"],
  [
    "another token's domain",
    () => ({ domain: { name: "USD Coin" } }),
    "invalid_exact_evm_signature",
  ],
  ["no money", () => ({ buyer: poorNumber }), "invalid_exact_evm_insufficient_balance"],
];

const refusals: Record<string, Scenario> = Object.fromEntries(
  badPayments.map(([name, change, reason]) => [`refused: ${name}`, async (scene: Scene) => {
    const { header, authorization } = await sign(scene, change());
    const { result, moved, calls } = await effects(scene, () => send(scene, header));
    assert.deepEqual([result.status, reasonOf(result.text)], [402, reason]);
    assert.deepEqual([moved, calls], [0n, 0]);
    const { from, nonce } = authorization;
    assert.equal(await scene.rig.usdc.authorizationUsed(from, nonce), false);
  }]),
);

const tampered: Scenario = async (scene) => {
  const signed = await sign(scene);
  const { signature, authorization } = signed.message.payload as {
    signature: Hex;
    authorization: unknown;
  };
  const payload = { authorization, signature: signature.replace(/^0x../, "0x00") };
  const message = { ...signed.message, payload };
  const header: [string, string] = ["PAYMENT-SIGNATURE", btoa(JSON.stringify(message))];
  const { result, moved, calls } = await effects(scene, () => send(scene, header));
  assert.deepEqual([result.status, reasonOf(result.text)], [402, "invalid_exact_evm_signature"]);
  assert.deepEqual([moved, calls], [0n, 0]);
};

const usedElsewhere: Scenario = async (scene) => {
  const signed = await sign(scene);
  const body = JSON.stringify(signed.facilitatorMessage);
  const headers = { "content-type": "application/json" };
  const settled = await fetch(`${scene.rig.facilitator.url}/settle`, {
    method: "POST",
    body,
    headers,
  });
  assert.equal((await settled.json()).success, true);
  const { result, moved, calls } = await effects(scene, () => send(scene, signed.header));
  assert.equal(result.status, 402);
  assert.match(reasonOf(result.text), /nonce_already_used/);
  assert.deepEqual([moved, calls], [0n, 0]);
};

const replayed: Scenario = async (scene) => {
  const { header } = await sign(scene);
  const { result, moved, calls } = await effects(scene, async () => {
    const first = await send(scene, header);
    return [first, await send(scene, header)] as const;
  });
  assert.equal(result[0].status, 200);
  assert.deepEqual([result[1].status, reasonOf(result[1].text)], [402, "payment_already_used"]);
  assert.deepEqual([moved, calls], [1000n, 1]);
};

const copiesAtOnce: Scenario = async (scene) => {
  const { header } = await sign(scene);
  const { result, moved, calls } = await effects(
    scene,
    () => Promise.all(Array.from({ length: 20 }, () => send(scene, header))),
  );
  const statuses = result.map(({ status }) => status).sort((a, b) => a - b);
  assert.equal(statuses[0], 200);
  assert.ok(statuses.slice(1).every((status) => status === 402 || status === 409), statuses.join());
  assert.deepEqual([moved, calls], [1000n, 1]);
};

const manyBuyersAtOnce: Scenario = async (scene) => {
  const payments = await Promise.all(Array.from({ length: 10 }, () => sign(scene)));
  const { result, moved, calls } = await effects(
    scene,
    () => Promise.all(payments.map(({ header }) => send(scene, header))),
  );
  assert.deepEqual(result.map(({ status }) => status), Array(10).fill(200));
  assert.deepEqual([moved, calls], [10_000n, 10]);
};

const failingBackend: Scenario = async (scene) => {
  const { header, authorization } = await sign(scene);
  const { result, moved, calls } = await effects(
    scene,
    () => send(scene, header, "/api/weather?status=500"),
  );
  assert.equal(result.status, 500);
  assert.deepEqual([moved, calls], [0n, 1]);
  const { from, nonce } = authorization;
  assert.equal(await scene.rig.usdc.authorizationUsed(from, nonce), false);
};

const paidStream: Scenario = async (scene) => {
  const pay = await buyerV2(buyerNumber);
  const { result, moved } = await effects(scene, async () => {
    const response = await pay(`${scene.rig.gateway.url}/stream?events=3&interval=20`);
    return await response.text();
  });
  assert.match(result, /"tick":3/);
  assert.equal(moved, 5000n);
};

const freePaths: Scenario = async (scene) => {
  const { moved } = await effects(scene, async () => {
    for (const path of ["/health", "/docs/a/b", "/articles/1", "/api/weather/lisbon", "/"]) {
      const reply = await fetch(scene.rig.gateway.url + path);
      await reply.body?.cancel();
      assert.equal(reply.status, 200, path);
    }
  });
  assert.equal(moved, 0n);
  const bot = { headers: { "user-agent": "ClaudeBot/1.0" } };
  const reply = await fetch(`${scene.rig.gateway.url}/articles/1`, bot);
  await reply.body?.cancel();
  assert.equal(reply.status, 402, "bots pay");
};

/** Everything that moves money, in an order that does not matter. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  "a version 2 buyer pays": buys(2, buyerV2),
  "a version 1 buyer pays": buys(1, buyerV1),
  ...refusals,
  "refused: a tampered signature": tampered,
  "refused: a payment that was settled elsewhere": usedElsewhere,
  "refused: a payment sent a second time": replayed,
  "20 copies at once: one execution, one settlement": copiesAtOnce,
  "10 payments at once are all settled": manyBuyersAtOnce,
  "a backend that fails is not charged for": failingBackend,
  "a paid stream": paidStream,
  "free, unmatched and conditional paths": freePaths,
};
