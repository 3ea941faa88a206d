import { z } from "zod";
import { type Rpc, RpcRefusal } from "./json_rpc.ts";
import { ChainError } from "./on_chain.ts";
import { type Log, logSchema } from "./rpc_schemas.ts";

/**
 * Blocks asked for at once, until a node lets one pass: limits that providers have. A smaller step
 * than needed would cost many calls over a day of blocks, each refusal costs one.
 */
const ranges = [2000n, 1000n, 500n, 100n, 50n, 10n, 5n, 1n];
/** Where a search begins with a node that nothing is known of. */
export const firstRange = ranges[0]!;

/** Logs of one contract. */
export interface LogFilter {
  readonly address: string;
  /** For each position the topics that fit. */
  readonly topics: readonly (readonly string[])[];
}

/**
 * Reads logs in pieces that the node lets pass. How many blocks that are (10 to 10,000) no two
 * providers agree on, nor on the error that says so, so every refusal makes the pieces smaller, and
 * they stay small.
 */
export class LogSearch {
  #range: bigint;

  /** @param range blocks asked for at once to begin with */
  constructor(private readonly rpc: Rpc, range = firstRange) {
    this.#range = range;
  }

  /** Blocks that were let pass at once so far. */
  get range(): bigint {
    return this.#range;
  }

  /** Whether the node has logs of a block, whosesoever they are. */
  async hasAny(block: bigint): Promise<boolean> {
    const logs = await this.rpc.call("eth_getLogs", [blocks(block, block)], z.array(z.unknown()));
    return logs.length > 0;
  }

  /**
   * The logs in order, oldest first, read only as far as they are taken.
   * @param from first block
   * @param to last block
   * @throws {ChainError} also for a node that refuses single blocks or answers with other logs
   */
  async *find(filter: LogFilter, from: bigint, to: bigint): AsyncGenerator<Log> {
    for (let start = from; start <= to;) {
      const last = start + this.#range - 1n;
      const end = last < to ? last : to;
      let logs;
      try {
        logs = await this.#read(filter, start, end);
      } catch (error) {
        const asked = end - start + 1n;
        const smaller = ranges.find((range) => range < asked);
        if (!(error instanceof RpcRefusal) || smaller === undefined) throw error;
        this.#range = smaller;
        continue;
      }
      yield* logs;
      start = end + 1n;
    }
  }

  async #read({ address, topics }: LogFilter, from: bigint, to: bigint): Promise<Log[]> {
    const filter = { address, topics, ...blocks(from, to) };
    const logs = await this.rpc.call("eth_getLogs", [filter], z.array(logSchema));
    const wanted = (log: Log) =>
      log.address === address.toLowerCase() && log.blockNumber >= from && log.blockNumber <= to &&
      topics.every((choice, at) => choice.includes(log.topics[at] ?? ""));
    // A node that ignores a part of the filter would have other payments take the place of this one.
    if (!logs.every(wanted)) throw new ChainError("eth_getLogs: logs that were not asked for");
    return logs.sort((a, b) =>
      Number(a.blockNumber - b.blockNumber) || Number(a.logIndex - b.logIndex)
    );
  }
}

function blocks(from: bigint, to: bigint) {
  return { fromBlock: `0x${from.toString(16)}`, toBlock: `0x${to.toString(16)}` };
}
