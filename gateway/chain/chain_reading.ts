import type { JsonRpc } from "./json_rpc.ts";
import type { LogFilter, LogSearch } from "./log_search.ts";
import { ChainError } from "./on_chain.ts";
import { type Block, blockSchema, type Log, oneWord } from "./rpc_schemas.ts";
import { receiptSchema, transactionSchema } from "./rpc_schemas.ts";

/** Seconds that the clock of the caller may be ahead of the chain's. */
const clockSlackSeconds = 600n;

export interface ReadingSettings {
  /**
   * Blocks on top of the one that is read. 2 by default: reorganisations of two blocks are rare
   * everywhere, and money moves on after seconds. `finalized` would be sure and is a quarter of an
   * hour behind on rollups such as Base.
   */
  readonly confirmations: bigint;
  /**
   * Seconds that have to lie, by the chain's clock, between the last one in which a payment could be
   * settled and the block that is read, before its absence is believed. A reorganisation would
   * have to reach back that far to bring a settlement in late. It is what keeps "expired" safe, and
   * there is no hurry about that.
   */
  readonly marginSeconds: bigint;
}

/**
 * One look at a chain. Everything is read as of one block, by its hash: nodes behind one URL are not
 * equally far, and one that does not know the block says so instead of answering for another.
 */
export class ChainReading {
  private constructor(
    private readonly rpc: JsonRpc,
    private readonly search: LogSearch,
    private readonly settings: ReadingSettings,
    private readonly head: Block,
  ) {}

  /** @throws {ChainError} */
  static async start(
    rpc: JsonRpc,
    search: LogSearch,
    settings: ReadingSettings,
  ): Promise<ChainReading> {
    const latest = await rpc.call("eth_getBlockByNumber", ["latest", false], blockSchema);
    const depth = latest.number < settings.confirmations ? latest.number : settings.confirmations;
    const head = depth === 0n ? latest : await readBlock(rpc, latest.number - depth);
    return new ChainReading(rpc, search, settings, head);
  }

  /** What a view function returns that returns one word. */
  word(contract: string, data: string): Promise<bigint> {
    const block = { blockHash: this.head.hash, requireCanonical: true }; // EIP-1898
    return this.rpc.call("eth_call", [{ to: contract, data }, block], oneWord);
  }

  /** @param second the last Unix second in which something could be in a block */
  isOver(second: bigint): boolean {
    return this.head.timestamp > second + this.settings.marginSeconds;
  }

  /**
   * Logs since a time, oldest first. Those that are there are proof. That one is missing is none
   * until the time in which it could be there `isOver`: a node that is behind leaves out the last.
   * @param since Unix time in ms
   */
  async *logs(filter: LogFilter, since: number): AsyncGenerator<Log> {
    const seconds = BigInt(Math.floor(since / 1000)) - clockSlackSeconds;
    yield* this.search.find(filter, await this.#blockBefore(seconds), this.head.number);
  }

  /** All logs of the transaction that a log is of. */
  async receiptLogs({ transactionHash, blockHash }: Log): Promise<readonly Log[]> {
    const receipt = await this.rpc.call(
      "eth_getTransactionReceipt",
      [transactionHash],
      receiptSchema,
    );
    assertSame(receipt.transactionHash, transactionHash);
    assertSame(receipt.blockHash, blockHash);
    return receipt.logs;
  }

  /** To whom the transaction of a log was sent, and with what. */
  async transaction({ transactionHash, blockHash }: Log) {
    const found = await this.rpc.call(
      "eth_getTransactionByHash",
      [transactionHash],
      transactionSchema,
    );
    assertSame(found.hash, transactionHash);
    assertSame(found.blockHash, blockHash);
    return found;
  }

  /**
   * To be called at the end: logs and receipts are of the chain as it was at their time.
   * @throws {ChainError} if the block that was read is no longer a part of it
   */
  async confirm(): Promise<void> {
    assertSame((await readBlock(this.rpc, this.head.number)).hash, this.head.hash);
  }

  /** A block that is not younger than `seconds`, and not many blocks older than has to be. */
  async #blockBefore(seconds: bigint): Promise<bigint> {
    let young = this.head.number;
    let old = young;
    for (let step = this.search.range; old > 0n; step *= 2n) {
      old = young > step ? young - step : 0n;
      if ((await readBlock(this.rpc, old)).timestamp < seconds) break;
      young = old;
    }
    while (young - old > this.search.range) {
      const middle = (young + old) / 2n;
      if ((await readBlock(this.rpc, middle)).timestamp < seconds) old = middle;
      else young = middle;
    }
    return old;
  }
}

async function readBlock(rpc: JsonRpc, number: bigint): Promise<Block> {
  const params = [`0x${number.toString(16)}`, false];
  const block = await rpc.call("eth_getBlockByNumber", params, blockSchema);
  if (block.number !== number) throw new ChainError(`block ${number} was asked for`);
  return block;
}

function assertSame(found: string, expected: string): void {
  if (found === expected) return;
  throw new ChainError(`the chain changed while it was read: ${found} instead of ${expected}`);
}
