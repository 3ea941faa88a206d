/** Permit2 and the proxy of x402, as far as they are read. */
import { x402ExactPermit2ProxyABI as abi } from "@x402/evm";
import {
  type Address,
  encodeAbiParameters,
  encodeFunctionData,
  type Hex,
  keccak256,
  numberToHex,
  parseAbi,
  parseAbiParameters,
  toEventSelector,
} from "viem";
import { devAccount } from "../../commands/pay_wallet.ts";
import type { Chain } from "../rig/chain.ts";
import { usdcAddress } from "../rig/usdc.ts";
import { buyer } from "./usdc_payments.ts";
import type { SignedTransfer } from "../../gateway/chain/on_chain.ts";

const permit2: Address = "0x000000000022D473030F116dDEE9F6B43aC78BA3";
const proxy: Address = "0x402085c248EeA27D92E8b30b2C58ed07f9E20001";
/** Passes on to the proxy what it is sent, as a contract does with which a facilitator batches. */
export const batcher: Address = "0x00000000000000000000000000000000000000ba";

const opcodes: Readonly<Record<string, string>> = {
  stop: "00",
  eq: "14",
  iszero: "15",
  shl: "1b",
  shr: "1c",
  keccak256: "20",
  caller: "33",
  calldataload: "35",
  calldatasize: "36",
  calldatacopy: "37",
  mstore: "52",
  sload: "54",
  jumpi: "57",
  gas: "5a",
  jumpdest: "5b",
  log0: "a0",
  log2: "a2",
  call: "f1",
  return: "f3",
};

/** Hexadecimal numbers are pushed. A jump to 0, where none may land, is how these fail. */
function assemble(code: string): Hex {
  const bytes = code.trim().split(/\s+/).map((word) => {
    if (!word.startsWith("0x")) return opcodes[word]!;
    return (0x5f + (word.length - 2) / 2).toString(16) + word.slice(2);
  });
  return `0x${bytes.join("")}`;
}

/** `nonceBitmap` from storage; any other call is logged as an invalidation of (word, mask). */
const permit2Code = assemble(`
  0x00 calldataload 0xe0 shr 0x4fe02b44 eq 0x3e jumpi
  0x40 0x04 0x00 calldatacopy
  caller ${toEventSelector("UnorderedNonceInvalidation(address,uint256,uint256)")} 0x40 0x00 log2
  stop
  jumpdest 0x40 0x04 0x00 calldatacopy 0x40 0x00 keccak256 sload 0x00 mstore 0x20 0x00 return
`);

/** `transferFrom` with an allowance of its own, and a log. `skip`: bytes before the arguments. */
function proxyCode(skip: number): Hex {
  const argument = (index: number) => numberToHex(4 + skip + 32 * index, { size: 2 });
  return assemble(`
    0x23b872dd 0xe0 shl 0x00 mstore
    0x20 ${argument(4)} 0x04 calldatacopy
    0x20 ${argument(5)} 0x24 calldatacopy
    0x20 ${argument(1)} 0x44 calldatacopy
    0x00 0x00 0x64 0x00 0x00 ${argument(0)} calldataload gas call iszero 0x00 jumpi
    0x00 0x00 log0 stop
  `);
}

const batcherCode = assemble(`
  calldatasize 0x00 0x00 calldatacopy
  0x00 0x00 calldatasize 0x00 0x00 ${proxy.toLowerCase()} gas call iszero 0x00 jumpi
  stop
`);

const payerAbi = parseAbi([
  "function invalidateUnorderedNonces(uint256 word, uint256 mask)",
  "function approve(address spender, uint256 amount)",
  "function transfer(address to, uint256 amount)",
]);

/** Puts the contracts in their places, with an allowance of the buyer's. */
export async function placePermit2(chain: Chain, form: Form = "settle"): Promise<void> {
  const skip = form === "settle" ? 0 : 5 * 32;
  await chain.client.setCode({ address: permit2, bytecode: permit2Code });
  await chain.client.setCode({ address: proxy, bytecode: proxyCode(skip) });
  await chain.client.setCode({ address: batcher, bytecode: batcherCode });
  await asBuyer(chain, usdcAddress as Address, "approve", [proxy, 2n ** 256n - 1n]);
}

type Form = "settle" | "settleWithPermit";

/** Moves the tokens and uses up the nonce, as the proxy does; returns the transaction. */
export async function settlePermit(
  chain: Chain,
  transfer: SignedTransfer,
  form: Form = "settle",
  to: Address = proxy,
): Promise<string> {
  const permit = {
    permitted: { token: transfer.asset as Address, amount: transfer.amount },
    nonce: BigInt(transfer.nonce),
    deadline: transfer.validBefore,
  };
  const zero = numberToHex(0, { size: 32 });
  const eip2612 = { value: 1n, deadline: 1n, r: zero, s: zero, v: 27 };
  const rest = [permit, transfer.payer as Address, {
    to: transfer.payTo as Address,
    validAfter: 0n,
  }, "0x1234"] as const;
  const data = form === "settle"
    ? encodeFunctionData({ abi, functionName: form, args: rest })
    : encodeFunctionData({ abi, functionName: form, args: [eip2612, ...rest] });
  const hash = await chain.client.sendTransaction({ to, data });
  await chain.client.waitForTransactionReceipt({ hash, pollingInterval: 10 });
  await useUp(chain, transfer);
  return hash;
}

/** The payer makes the nonce void. */
export async function invalidate(chain: Chain, transfer: SignedTransfer): Promise<void> {
  const nonce = BigInt(transfer.nonce);
  const args = [nonce >> 8n, 1n << (nonce & 0xffn)] as const;
  await asBuyer(chain, permit2, "invalidateUnorderedNonces", args);
  await useUp(chain, transfer);
}

/** A transfer that has nothing to do with Permit2. */
export async function transferPlainly(chain: Chain, transfer: SignedTransfer): Promise<void> {
  const args = [transfer.payTo as Address, transfer.amount] as const;
  await asBuyer(chain, usdcAddress as Address, "transfer", args);
}

/** Sets the bit of the nonce in the storage of Permit2. */
export async function useUp({ client }: Chain, transfer: SignedTransfer): Promise<void> {
  const nonce = BigInt(transfer.nonce);
  const types = parseAbiParameters("address, uint256");
  const slot = keccak256(encodeAbiParameters(types, [transfer.payer as Address, nonce >> 8n]));
  const old = BigInt(await client.getStorageAt({ address: permit2, slot }) ?? "0x0");
  const value = numberToHex(old | 1n << (nonce & 0xffn), { size: 32 });
  await client.setStorageAt({ address: permit2, index: slot, value });
  await client.mine({ blocks: 1 });
}

async function asBuyer(
  { client }: Chain,
  to: Address,
  functionName: "invalidateUnorderedNonces" | "approve" | "transfer",
  args: readonly [Address, bigint] | readonly [bigint, bigint],
): Promise<void> {
  const data = encodeFunctionData({ abi: payerAbi, functionName, args } as never);
  const hash = await client.sendTransaction({ account: await devAccount(buyer), to, data });
  await client.waitForTransactionReceipt({ hash, pollingInterval: 10 });
}
