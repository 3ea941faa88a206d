import type { Rpc } from "./json_rpc.ts";
import type { LogFilter, LogSearch } from "./log_search.ts";
import { ChainError, type SignedTransfer } from "./on_chain.ts";
import { type Block, blockSchema, type Log, oneWord } from "./rpc_schemas.ts";
import { receiptSchema, transactionSchema } from "./rpc_schemas.ts";

/** Seconds that the clock of the caller may be ahead of the chain's. */
const clockSlackSeconds = 600n;

/** Blocks that the search for one of a certain time goes at first; then twice as many each time. */
const firstStep = 1000n;
/** Blocks that such a search may miss it by: a node that allows 10 blocks of logs makes 2 calls of it. */
const precision = 16n;

/** Blocks in a row without any log that are taken for a quiet chain, and not for dropped logs. */
const maxQuietBlocks = 10n;

/** When a payment can have been used. */
type UseTime = Pick<SignedTransfer, "since" | "validBefore">;

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
  #window: Promise<{ readonly from: bigint; readonly end: Block }> | undefined;

  private constructor(
    private readonly rpc: Rpc,
    private readonly search: LogSearch,
    private readonly settings: ReadingSettings,
    private readonly head: Block,
    private readonly time: UseTime,
  ) {}

  /** @throws {ChainError} */
  static async start(
    rpc: Rpc,
    search: LogSearch,
    settings: ReadingSettings,
    time: UseTime,
  ): Promise<ChainReading> {
    const latest = await rpc.call("eth_getBlockByNumber", ["latest", false], blockSchema);
    const depth = latest.number < settings.confirmations ? latest.number : settings.confirmations;
    const head = depth === 0n ? latest : await readBlock(rpc, latest.number - depth);
    return new ChainReading(rpc, search, settings, head, time);
  }

  /** What a view function returns that returns one word. */
  word(contract: string, data: string): Promise<bigint> {
    return this.#word(contract, data, this.head);
  }

  /**
   * The same as of a block that is too late for the payment, or of the one that is read if there is
   * no such. Nodes that keep no old states refuse it.
   */
  async wordAtEnd(contract: string, data: string): Promise<bigint> {
    const { end } = await this.#blocks();
    return await this.#word(contract, data, end);
  }

  /** @param second the last Unix second in which something could be in a block */
  isOver(second: bigint): boolean {
    return this.head.timestamp > second + this.settings.marginSeconds;
  }

  /**
   * Logs of the time in which the payment can be used, oldest first: not up to the head, which is
   * further away with each look. Those that are there are proof. That one is missing is none until
   * that time `isOver` (a node that is behind leaves out the last) and `assertLogsKept` is content.
   */
  async *logs(filter: LogFilter): AsyncGenerator<Log> {
    const { from, end } = await this.#blocks();
    yield* this.search.find(filter, from, end.number);
  }

  /**
   * To be asked before it is believed that a log does not exist: nodes drop old ones, and answer as
   * if there had been none. The oldest go first, so if those are there, all are.
   * @throws {ChainError} also on a chain so quiet that it cannot be told
   */
  async assertLogsKept(): Promise<void> {
    const { from, end } = await this.#blocks();
    for (let block = from; block <= end.number && block < from + maxQuietBlocks; block++) {
      if (await this.search.hasAny(block)) return;
    }
    throw new ChainError(`the node seems to have dropped the logs from block ${from} on`);
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

  #word(contract: string, data: string, { hash }: Block): Promise<bigint> {
    const block = { blockHash: hash, requireCanonical: true }; // EIP-1898
    return this.rpc.call("eth_call", [{ to: contract, data }, block], oneWord);
  }

  /** The blocks that can have a use of the payment, and not many more. */
  #blocks() {
    return this.#window ??= this.#findBlocks();
  }

  async #findBlocks() {
    const { since, validBefore } = this.time;
    const from = await this.#blockBefore(BigInt(Math.floor(since / 1000)) - clockSlackSeconds);
    return { from, end: await this.#blockAfter(validBefore, from) };
  }

  /** A block that is not younger than `seconds`, or the first, and not many blocks too old. */
  async #blockBefore(seconds: bigint): Promise<bigint> {
    let young = this.head.number;
    let old = young;
    for (let step = firstStep; old > 0n; step *= 2n) {
      old = young > step ? young - step : 0n;
      if ((await readBlock(this.rpc, old)).timestamp < seconds) break;
      young = old;
    }
    while (young - old > precision) {
      const middle = (young + old) / 2n;
      if ((await readBlock(this.rpc, middle)).timestamp < seconds) old = middle;
      else young = middle;
    }
    return old;
  }

  /** A block that is younger than `seconds` by the margin, and not many too young; or the head. */
  async #blockAfter(seconds: bigint, from: bigint): Promise<Block> {
    if (!this.isOver(seconds)) return this.head;
    const isAfter = ({ timestamp }: Block) => timestamp > seconds + this.settings.marginSeconds;
    let old = from;
    let young = this.head;
    // Upwards from the start, as payments live for minutes and the head may be months away.
    for (let step = firstStep; young.number - old > step; step *= 2n) {
      const block = await readBlock(this.rpc, old + step);
      if (isAfter(block)) young = block;
      else old = block.number;
    }
    while (young.number - old > precision) {
      const middle = await readBlock(this.rpc, (young.number + old) / 2n);
      if (isAfter(middle)) young = middle;
      else old = middle.number;
    }
    return young;
  }
}

async function readBlock(rpc: Rpc, number: bigint): Promise<Block> {
  const params = [`0x${number.toString(16)}`, false];
  const block = await rpc.call("eth_getBlockByNumber", params, blockSchema);
  if (block.number !== number) throw new ChainError(`block ${number} was asked for`);
  return block;
}

function assertSame(found: string, expected: string): void {
  if (found === expected) return;
  throw new ChainError(`the chain changed while it was read: ${found} instead of ${expected}`);
}
