import { addressWord, eventTopic, uintWord } from "./abi.ts";
import type { SignedTransfer } from "./on_chain.ts";
import type { Log } from "./rpc_schemas.ts";

/** ERC-20, first topic. */
export const transferTopic = eventTopic("Transfer(address,address,uint256)");

/** Whether a log says that exactly the amount of a payment went from its payer to its recipient. */
export function isTransferOf(log: Log, { asset, payer, payTo, amount }: SignedTransfer): boolean {
  const [event, from, to] = log.topics;
  return log.address === asset.toLowerCase() && event === transferTopic &&
    from === `0x${addressWord(payer)}` && to === `0x${addressWord(payTo)}` &&
    log.data === `0x${uintWord(amount)}`;
}
