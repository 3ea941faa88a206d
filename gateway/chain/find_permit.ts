import { addressWord, eventTopic, functionSelector, uintWord } from "./abi.ts";
import type { ChainReading } from "./chain_reading.ts";
import { ChainError, type OnChain, type SignedTransfer } from "./on_chain.ts";
import { permit2Address, permit2ProxyAddress } from "./permit2_contracts.ts";
import type { Log } from "./rpc_schemas.ts";
import { isTransferOf, transferTopic } from "./transfer_event.ts";

const nonceBitmap = functionSelector("nonceBitmap(address,uint256)");
const invalidationTopic = eventTopic("UnorderedNonceInvalidation(address,uint256,uint256)");

const permitTypes = "((address,uint256),uint256,uint256),address,(address,uint256),bytes)";
const settle = functionSelector(`settle(${permitTypes}`);
const settleWithPermit = functionSelector(
  `settleWithPermit((uint256,uint256,bytes32,bytes32,uint8),${permitTypes}`,
);
/** Hexadecimal digits of the EIP-2612 permit that comes first in `settleWithPermit`. */
const eip2612Digits = 5 * 64;

/**
 * What became of a Permit2 payment. Permit2 keeps one bit for a nonce, set by use and by
 * invalidation alike, and has no event with the nonce of a use; what has it are the arguments of the
 * transaction (scheme_exact_evm.md, "x402ExactPermit2Proxy").
 * @throws {ChainError}
 */
export async function findPermit(
  reading: ChainReading,
  payment: SignedTransfer,
): Promise<OnChain> {
  const { payer, validBefore: deadline } = payment;
  const nonce = BigInt(payment.nonce);
  const key = addressWord(payer) + uintWord(nonce >> 8n);
  const bits = await reading.word(permit2Address, nonceBitmap + key);
  // Permit2 takes it up to and including its deadline.
  const isOver = reading.isOver(deadline);
  if ((bits >> (nonce & 0xffn) & 1n) === 0n) return { kind: "unused", expired: isOver };
  const transaction = await findSettlement(reading, payment);
  if (transaction !== undefined) return { kind: "settled", transaction };
  if (!isOver) throw new ChainError(`nonce ${nonce} of ${payer} is used, by what is not clear yet`);
  if (await wasInvalidated(reading, payment)) return { kind: "cancelled" };
  // What is told from here on, is told from logs that are not there.
  await reading.assertLogsKept();
  return { kind: "used_elsewhere" };
}

/** @throws {ChainError} if one was made through another contract: whose it is cannot be told */
async function findSettlement(
  reading: ChainReading,
  payment: SignedTransfer,
): Promise<string | undefined> {
  const { asset, payer, payTo } = payment;
  const topics = [[transferTopic], [`0x${addressWord(payer)}`], [`0x${addressWord(payTo)}`]];
  let unclear: string | undefined;
  for await (const log of reading.logs({ address: asset, topics })) {
    if (!isTransferOf(log, payment)) continue;
    const { to, input } = await reading.transaction(log);
    if (to === permit2ProxyAddress) {
      if (settles(input, payment)) return log.transactionHash;
    } else if (await proxyTookPart(reading, log)) {
      unclear = log.transactionHash;
    }
  }
  if (unclear === undefined) return undefined;
  throw new ChainError(`${unclear} may or may not settle nonce ${payment.nonce} of ${payer}`);
}

/** Whether arguments of the proxy are those of a payment. Both functions have them all in a row. */
function settles(input: string, payment: SignedTransfer): boolean {
  const selector = input.slice(0, 10);
  if (selector !== settle && selector !== settleWithPermit) return false;
  const start = 10 + (selector === settle ? 0 : eip2612Digits);
  const expected = addressWord(payment.asset) + uintWord(payment.amount) +
    uintWord(BigInt(payment.nonce)) + uintWord(payment.validBefore) +
    addressWord(payment.payer) + addressWord(payment.payTo);
  return input.startsWith(expected, start);
}

/** The proxy logs every settlement. */
async function proxyTookPart(reading: ChainReading, log: Log): Promise<boolean> {
  const logs = await reading.receiptLogs(log);
  return logs.some(({ address }) => address === permit2ProxyAddress);
}

async function wasInvalidated(reading: ChainReading, payment: SignedTransfer): Promise<boolean> {
  const nonce = BigInt(payment.nonce);
  const topics = [[invalidationTopic], [`0x${addressWord(payment.payer)}`]];
  for await (const { data } of reading.logs({ address: permit2Address, topics })) {
    const word = BigInt(data.slice(0, 66));
    const mask = BigInt(`0x${data.slice(66, 130)}`);
    if (word === nonce >> 8n && (mask >> (nonce & 0xffn) & 1n) === 1n) return true;
  }
  return false;
}
