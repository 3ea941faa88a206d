import { z } from "zod";

/**
 * The answers of `eth_*` methods as far as they are read (execution-apis, `eth`). Hexadecimal comes
 * out in lower case, so that it can be compared.
 */

const quantity = z.string().regex(/^0x[0-9a-fA-F]{1,64}$/).transform((text) => BigInt(text));
const hexData = z.string().regex(/^0x([0-9a-fA-F]{2})*$/).toLowerCase();
const hash = z.string().regex(/^0x[0-9a-fA-F]{64}$/).toLowerCase();
const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/).toLowerCase();

/** What a view function returns that returns one word. A contract that is not there returns `0x`. */
export const oneWord = hash.transform((text) => BigInt(text));

export const blockSchema = z.object({ number: quantity, hash, timestamp: quantity });
/** `timestamp` in Unix seconds. */
export type Block = z.infer<typeof blockSchema>;

export const logSchema = z.object({
  address,
  topics: z.array(hash),
  data: hexData,
  blockNumber: quantity,
  blockHash: hash,
  transactionHash: hash,
  logIndex: quantity,
  // True in logs of blocks that a reorganisation took away.
  removed: z.literal(false).nullish(),
});
export type Log = z.infer<typeof logSchema>;

export const receiptSchema = z.object({
  status: z.literal("0x1"),
  blockHash: hash,
  transactionHash: hash,
  logs: z.array(logSchema),
});

export const transactionSchema = z.object({
  hash,
  blockHash: hash,
  /** Absent where a contract is created. */
  to: address.nullish(),
  input: hexData,
});
