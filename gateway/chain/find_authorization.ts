import { addressWord, bytes32Word, eventTopic, functionSelector } from "./abi.ts";
import type { ChainReading } from "./chain_reading.ts";
import { RpcRefusal } from "./json_rpc.ts";
import { ChainError, type OnChain, type SignedTransfer } from "./on_chain.ts";
import type { Log } from "./rpc_schemas.ts";
import { isTransferOf, transferTopic } from "./transfer_event.ts";

const authorizationState = functionSelector("authorizationState(address,bytes32)");
const usedTopic = eventTopic("AuthorizationUsed(address,bytes32)");
const cancelledTopic = eventTopic("AuthorizationCanceled(address,bytes32)");

/**
 * What became of an EIP-3009 authorization. The token's state says whether it is gone; which of two
 * ways it went, only the events say.
 * @throws {ChainError}
 */
export async function findAuthorization(
  reading: ChainReading,
  payment: SignedTransfer,
): Promise<OnChain> {
  const { asset, payer, nonce, validBefore } = payment;
  const key = addressWord(payer) + bytes32Word(nonce);
  const state = await reading.word(asset, authorizationState + key);
  // The token takes it while the time of the block is less than validBefore.
  if (state === 0n) return { kind: "unused", expired: reading.isOver(validBefore - 1n) };
  if (state !== 1n) throw new ChainError(`${asset} has an authorizationState of ${state}`);
  const topics = [
    [usedTopic, cancelledTopic],
    [`0x${addressWord(payer)}`],
    [`0x${bytes32Word(nonce)}`],
  ];
  for await (const log of reading.logs({ address: asset, topics })) {
    if (log.topics[0] === cancelledTopic) return { kind: "cancelled" };
    return await whereItWent(reading, payment, log);
  }
  // It is cancelled at any time, also after that in which logs are looked for.
  if (reading.isOver(validBefore) && await wasUnusedAtEnd(reading, asset, key)) {
    return { kind: "unused", expired: true };
  }
  throw new ChainError(`the use of authorization ${nonce} of ${payer} is in no log`);
}

/** Whether an authorization was there when its time was over; not, if the node does not know that. */
async function wasUnusedAtEnd(
  reading: ChainReading,
  asset: string,
  key: string,
): Promise<boolean> {
  try {
    return await reading.wordAtEnd(asset, authorizationState + key) === 0n;
  } catch (error) {
    if (error instanceof RpcRefusal) return false;
    throw error;
  }
}

/**
 * The transfer that belongs to a use is the log right after it, as the token writes both in one go
 * (EIP-3009, reference implementation). A matching transfer anywhere in the transaction would not
 * do: a payer can sign one nonce twice, send it to itself, and put that into one transaction with
 * another payment, which would then count twice.
 */
async function whereItWent(
  reading: ChainReading,
  payment: SignedTransfer,
  use: Log,
): Promise<OnChain> {
  const logs = await reading.receiptLogs(use);
  const next = logs.find(({ logIndex }) => logIndex === use.logIndex + 1n);
  if (next !== undefined && isTransferOf(next, payment)) {
    return { kind: "settled", transaction: use.transactionHash };
  }
  const [event, from] = next?.topics ?? [];
  const isTransferOfPayer = next?.address === payment.asset.toLowerCase() &&
    event === transferTopic && from === `0x${addressWord(payment.payer)}`;
  if (isTransferOfPayer) return { kind: "used_elsewhere" };
  throw new ChainError(`no transfer follows the use of authorization ${payment.nonce}`);
}
