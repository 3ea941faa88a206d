import assert from "node:assert/strict";
import fc from "fast-check";
import { secp256k1 } from "@noble/curves/secp256k1";
import { type Hex, hexToBytes, serializeCompactSignature, signatureToCompactSignature } from "viem";
import { parseSignature } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import type { PaymentTerms } from "../../store/route_snapshot.ts";
import { devAccount } from "../../commands/pay_wallet.ts";
import { type PaymentToSign, signPayment, usdcRequirements } from "../../tests/rig/sign_payment.ts";
import { usdcTerms } from "../../tests/support/test_gateway.ts";
import { recoversToPayer } from "./local_signature.ts";
import { type Payment, readPaymentHeader } from "./payment_header.ts";

const buyer = 3;
const other: Hex = "0x1111111111111111111111111111111111111111";
const terms = usdcTerms("https://x402.org/facilitator", {});
const requirements = usdcRequirements(2, terms.amount, terms.payTo);

async function sign(change: Partial<PaymentToSign> = {}): Promise<Payment> {
  const { header } = await signPayment({ version: 2, buyer, requirements, ...change });
  return readPaymentHeader(new Headers([header])) as Payment;
}

/** The same payment with another signature. */
function signedBy(payment: Payment, signature: string): Payment {
  const payload = { ...payment.message.payload, signature };
  return { ...payment, message: { ...payment.message, payload } as Payment["message"] };
}

function signatureOf({ message }: Payment): Hex {
  return message.payload.signature as Hex;
}

/** `s` and the parity replaced by their counterparts: the same point of the curve. */
function mirrored(signature: Hex): string {
  const s = secp256k1.CURVE.n - BigInt(`0x${signature.slice(66, 130)}`);
  const v = signature.slice(130) === "1b" ? "1c" : "1b";
  return signature.slice(0, 66) + s.toString(16).padStart(64, "0") + v;
}

function withV(signature: Hex, v: number): string {
  return signature.slice(0, 130) + v.toString(16).padStart(2, "0");
}

Deno.test("a payment that its payer signed is known as such, in both protocol versions", async () => {
  assert.equal(await recoversToPayer(await sign(), terms), true);
  const v1 = await signPayment({
    version: 1,
    buyer,
    requirements: usdcRequirements(1, terms.amount, terms.payTo),
  });
  const payment = readPaymentHeader(new Headers([v1.header])) as Payment;
  assert.equal(await recoversToPayer(payment, terms), true);
});

const tampered: Readonly<Record<string, Partial<PaymentToSign>>> = {
  "another chain": { domain: { chainId: 1 } },
  "another token": { domain: { verifyingContract: other } },
  "another domain name": { domain: { name: "USD Coin" } },
  "another domain version": { domain: { version: "1" } },
};
for (const [what, change] of Object.entries(tampered)) {
  Deno.test(`a signature for ${what} is not the payer's`, async () => {
    assert.equal(await recoversToPayer(await sign(change), terms), false);
  });
}

const changes: Readonly<Record<string, Partial<Payment["authorization"]>>> = {
  payer: { payer: other },
  payTo: { payTo: other },
  amount: { amount: 1n },
  validAfter: { validAfter: 1n },
  validBefore: { validBefore: 9_999_999_999n },
  nonce: { nonce: `0x${"1".repeat(64)}` },
  "validBefore beyond a uint256": { validBefore: 10n ** 78n - 1n },
};
for (const [what, change] of Object.entries(changes)) {
  Deno.test(`a payment with another ${what} is not what the payer signed`, async () => {
    const payment = await sign();
    const authorization = { ...payment.authorization, ...change };
    assert.equal(await recoversToPayer({ ...payment, authorization }, terms), false);
  });
}

Deno.test("spellings of a signature", async () => {
  const payment = await sign();
  const signature = signatureOf(payment);
  const { yParity } = parseSignature(signature);
  const compact = serializeCompactSignature(signatureToCompactSignature(parseSignature(signature)));
  const spellings: [string, boolean | undefined][] = [
    [signature, true],
    [signature.toUpperCase().replace("0X", "0x"), true],
    [withV(signature, yParity), true],
    [withV(signature, 27 + yParity), true],
    [withV(signature, 28 - yParity), false],
    [withV(signature, 1 - yParity), false],
    [withV(signature, 2), false],
    [withV(signature, 35 + yParity), false],
    [compact, true],
    [mirrored(signature), false],
    [`0x${"0".repeat(130)}`, false],
    [`0x${"f".repeat(130)}`, false],
    [`0x${"0".repeat(64)}${signature.slice(66)}`, false],
    [signature.slice(0, 66) + "0".repeat(64) + signature.slice(130), false],
    // Only a contract can say what these are worth.
    ["0x00", undefined],
    [signature + "00", undefined],
    [signature.slice(0, -1), undefined],
    [signature.repeat(3).replaceAll("0x", "").padStart(402, "0x"), undefined],
  ];
  for (const [spelling, expected] of spellings) {
    assert.equal(await recoversToPayer(signedBy(payment, spelling), terms), expected, spelling);
  }
});

Deno.test("terms without the token's domain leave it open", async () => {
  const payment = await sign();
  for (const extra of [{}, { name: "USDC" }, { version: "2" }]) {
    assert.equal(await recoversToPayer(payment, { ...terms, extra }), undefined);
  }
  assert.equal(await recoversToPayer(payment, { ...terms, network: "solana:mainnet" }), undefined);
});

const permit2Types = {
  PermitWitnessTransferFrom: [
    { name: "permitted", type: "TokenPermissions" },
    { name: "spender", type: "address" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
    { name: "witness", type: "Witness" },
  ],
  TokenPermissions: [{ name: "token", type: "address" }, { name: "amount", type: "uint256" }],
  Witness: [{ name: "to", type: "address" }, { name: "validAfter", type: "uint256" }],
} as const;

Deno.test("Permit2: the payer's signature for the proxy is known, in both spellings of s", async () => {
  const account = await devAccount(buyer);
  const permitTerms: PaymentTerms = { ...terms, extra: { assetTransferMethod: "permit2" } };
  const token = terms.asset as Hex;
  const to = terms.payTo as Hex;
  const proxy = "0x402085c248EeA27D92E8b30b2C58ed07f9E20001";
  const signFor = async (spender: Hex) => {
    const amount = BigInt(terms.amount);
    const [nonce, deadline, validAfter] = [2n ** 255n + 7n, 1_900_000_000n, 1_700_000_000n];
    const signature = await account.signTypedData({
      domain: {
        name: "Permit2",
        chainId: 84532,
        verifyingContract: "0x000000000022D473030F116dDEE9F6B43aC78BA3",
      },
      types: permit2Types,
      primaryType: "PermitWitnessTransferFrom",
      message: {
        permitted: { token, amount },
        spender,
        nonce,
        deadline,
        witness: { to, validAfter },
      },
    });
    const payment = await sign({
      message: {
        payload: {
          signature,
          permit2Authorization: {
            permitted: { token, amount: terms.amount },
            from: account.address,
            spender,
            nonce: String(nonce),
            deadline: String(deadline),
            witness: { to, validAfter: String(validAfter) },
          },
        },
      },
    });
    return { payment, signature };
  };
  const { payment, signature } = await signFor(proxy);
  assert.equal(await recoversToPayer(payment, permitTerms), true);
  const high = signedBy(payment, mirrored(signature));
  assert.equal(await recoversToPayer(high, permitTerms), true);
  assert.equal(await recoversToPayer((await signFor(other)).payment, permitTerms), false);
});

Deno.test("whoever signs, only the signer is recovered, and no changed bit passes", async () => {
  const key = fc.uint8Array({ minLength: 32, maxLength: 32 })
    .filter((bytes) => secp256k1.utils.isValidPrivateKey(bytes));
  const bit = fc.integer({ min: 0, max: 64 * 8 - 1 });
  const template = await sign();
  await fc.assert(
    fc.asyncProperty(key, bit, async (bytes, at) => {
      const account = privateKeyToAccount(`0x${bytes.toHex()}`);
      const authorization = { ...template.authorization, payer: account.address.toLowerCase() };
      const { nonce, amount: value, validAfter, validBefore } = authorization;
      const signature = await account.signTypedData({
        domain: {
          name: "USDC",
          version: "2",
          chainId: 84532,
          verifyingContract: terms.asset as Hex,
        },
        types: {
          TransferWithAuthorization: [
            { name: "from", type: "address" },
            { name: "to", type: "address" },
            { name: "value", type: "uint256" },
            { name: "validAfter", type: "uint256" },
            { name: "validBefore", type: "uint256" },
            { name: "nonce", type: "bytes32" },
          ],
        },
        primaryType: "TransferWithAuthorization",
        message: {
          from: account.address,
          to: terms.payTo as Hex,
          value,
          validAfter,
          validBefore,
          nonce: nonce as Hex,
        },
      });
      const payment = { ...signedBy(template, signature), authorization };
      assert.equal(await recoversToPayer(payment, terms), true);
      const changed = hexToBytes(signature);
      changed[at >> 3]! ^= 1 << (at & 7);
      const bad = signedBy(payment, `0x${changed.toHex()}`);
      assert.equal(await recoversToPayer(bad, terms), false);
    }),
    { numRuns: 100 },
  );
});
