import type { Address, Hex } from "viem";
import { devAccount } from "../../commands/pay_wallet.ts";
import { baseSepolia } from "./base_sepolia.ts";
import { usdcAddress } from "./usdc.ts";

/** One entry of `accepts`, of version 1 (`maxAmountRequired`) or 2 (`amount`). */
export interface Requirements {
  readonly scheme: string;
  readonly network: string;
  readonly amount?: string;
  readonly maxAmountRequired?: string;
  readonly asset: string;
  readonly payTo: string;
  readonly maxTimeoutSeconds: number;
  readonly extra?: { readonly name?: string; readonly version?: string };
  readonly [other: string]: unknown;
}

/** EIP-3009 `transferWithAuthorization` as it goes over the wire: numbers are decimal strings. */
export interface Authorization {
  readonly from: Address;
  readonly to: Address;
  readonly value: string;
  /** Unix seconds. */
  readonly validAfter: string;
  readonly validBefore: string;
  /** 32 bytes. */
  readonly nonce: Hex;
}

/** A payment to sign. All but the first three fields are there to make it a bad one. */
export interface PaymentToSign {
  readonly version: 1 | 2;
  /** Dev account of the payer. */
  readonly buyer: number;
  readonly requirements: Requirements;
  /** Signed instead of what the requirements ask: other amount, recipient, time, nonce, ... */
  readonly authorization?: Partial<Authorization>;
  /** Signed for another token or chain than the requirements'. */
  readonly domain?: {
    readonly name?: string;
    readonly version?: string;
    readonly chainId?: number;
    readonly verifyingContract?: Address;
  };
  /** Written over the fields of the message after signing: `network`, `accepted`, `payload`, ... */
  readonly message?: Readonly<Record<string, unknown>>;
}

export interface SignedPayment {
  /** The PaymentPayload message. */
  readonly message: Readonly<Record<string, unknown>>;
  /** Name and value of the request header that carries it. */
  readonly header: [name: string, value: string];
  readonly authorization: Authorization;
  /** Body for the facilitator's `/verify` and `/settle`. */
  readonly facilitatorMessage: Readonly<Record<string, unknown>>;
}

/** What a seller asks on the local chain, in the shape of a protocol version. */
export function usdcRequirements(version: 1 | 2, amount: string, payTo: string): Requirements {
  const common = {
    scheme: "exact",
    asset: usdcAddress,
    payTo,
    maxTimeoutSeconds: 60,
    extra: { name: "USDC", version: "2" },
  };
  if (version === 2) return { ...common, network: `eip155:${baseSepolia.id}`, amount };
  return {
    ...common,
    network: "base-sepolia",
    maxAmountRequired: amount,
    resource: "http://localhost/",
    description: "",
    mimeType: "",
  };
}

/** Signs a payment byte by byte as told, without any of the checks of a buyer's library. */
export async function signPayment(payment: PaymentToSign): Promise<SignedPayment> {
  const { version, requirements } = payment;
  const { authorization, signature } = await signAuthorization(payment);
  const payload = { signature, authorization };
  const { scheme, network } = requirements;
  const message = {
    x402Version: version,
    ...(version === 2 ? { accepted: requirements } : { scheme, network }),
    payload,
    ...payment.message,
  };
  return {
    message,
    header: [version === 2 ? "PAYMENT-SIGNATURE" : "X-PAYMENT", btoa(JSON.stringify(message))],
    authorization,
    facilitatorMessage: {
      x402Version: version,
      paymentPayload: message,
      paymentRequirements: requirements,
    },
  };
}

async function signAuthorization(payment: PaymentToSign) {
  const { requirements } = payment;
  const account = await devAccount(payment.buyer);
  const now = Math.floor(Date.now() / 1000);
  const authorization: Authorization = {
    from: account.address,
    to: requirements.payTo as Address,
    value: requirements.amount ?? requirements.maxAmountRequired ?? "0",
    validAfter: String(now - 600),
    validBefore: String(now + requirements.maxTimeoutSeconds),
    nonce: `0x${crypto.getRandomValues(new Uint8Array(32)).toHex()}`,
    ...payment.authorization,
  };
  const signature = await account.signTypedData({
    domain: {
      ...requirements.extra,
      chainId: baseSepolia.id,
      verifyingContract: requirements.asset as Address,
      ...payment.domain,
    },
    types: { TransferWithAuthorization: transferWithAuthorization },
    primaryType: "TransferWithAuthorization",
    message: {
      ...authorization,
      value: BigInt(authorization.value),
      validAfter: BigInt(authorization.validAfter),
      validBefore: BigInt(authorization.validBefore),
    },
  });
  return { authorization, signature };
}

const transferWithAuthorization = [
  { name: "from", type: "address" },
  { name: "to", type: "address" },
  { name: "value", type: "uint256" },
  { name: "validAfter", type: "uint256" },
  { name: "validBefore", type: "uint256" },
  { name: "nonce", type: "bytes32" },
] as const;
