import { ChainReading, type ReadingSettings } from "./chain_reading.ts";
import { findAuthorization } from "./find_authorization.ts";
import { findPermit } from "./find_permit.ts";
import { JsonRpc, type NodeLimits } from "./json_rpc.ts";
import { firstRange, LogSearch } from "./log_search.ts";
import { BudgetedRpc, type LookBudget } from "./look_budget.ts";
import { ChainError, type OnChain, type SignedTransfer } from "./on_chain.ts";

export interface ChainReaderSettings extends ReadingSettings, NodeLimits, LookBudget {}

const defaults: ChainReaderSettings = {
  confirmations: 2n,
  marginSeconds: 60n,
  timeoutMs: 10_000,
  parallelCalls: 4,
  maxCalls: 200,
  lookMs: 20_000,
};

interface Node {
  readonly rpc: JsonRpc;
  /** Blocks that it let pass at once, in the last look that came to an end. */
  range: bigint;
}

/**
 * Asks the chain itself what became of payments whose settlement is in doubt. It takes seconds where
 * nodes are slow: nothing for the time of a request.
 */
export class ChainReader {
  readonly #nodes = new Map<string, Node>();
  readonly #settings: ChainReaderSettings;
  readonly #looks = new Set<AbortController>();
  #closed = false;

  /**
   * @param rpcUrls by CAIP-2 network: `eip155:84532`; http or https
   * @throws {TypeError} for what is no URL
   */
  constructor(rpcUrls: ReadonlyMap<string, string>, settings: Partial<ChainReaderSettings> = {}) {
    this.#settings = { ...defaults, ...settings };
    for (const [network, url] of rpcUrls) {
      const rpc = new JsonRpc(url, network, this.#settings);
      this.#nodes.set(network, { rpc, range: firstRange });
    }
  }

  /** Whether payments on a network can be looked up. */
  covers(network: string): boolean {
    return this.#nodes.has(network);
  }

  /**
   * @param signal ends the look at once, with the calls that are under way
   * @throws {ChainError} if nothing can be said now: the node is away, behind, on another chain, or
   * contradicts itself, the budget is spent, or the reader was closed. Its message is for the log
   * and has nothing secret. Where a budget was spent the next look begins from the start and will
   * hardly get further: it should be much later.
   * @throws the signal's reason
   * @throws {TypeError} for a network that is not covered
   */
  async find(payment: SignedTransfer, signal?: AbortSignal): Promise<OnChain> {
    const node = this.#nodes.get(payment.network);
    if (node === undefined) throw new TypeError(`no RPC URL is known for ${payment.network}`);
    signal?.throwIfAborted();
    if (this.#closed) throw wasClosed();
    const { lookMs } = this.#settings;
    const look = new AbortController();
    const end = () => look.abort(signal?.reason);
    const timer = setTimeout(
      () => look.abort(new ChainError(`not found within the budget of ${lookMs} ms`)),
      lookMs,
    );
    this.#looks.add(look);
    signal?.addEventListener("abort", end);
    try {
      return await this.#look(node, payment, look.signal);
    } finally {
      clearTimeout(timer);
      this.#looks.delete(look);
      signal?.removeEventListener("abort", end);
    }
  }

  /** Ends all looks at once. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const look of this.#looks) look.abort(wasClosed());
    for (const { rpc } of this.#nodes.values()) rpc.close();
  }

  async #look(node: Node, payment: SignedTransfer, signal: AbortSignal): Promise<OnChain> {
    const rpc = new BudgetedRpc(node.rpc, this.#settings.maxCalls, signal);
    const search = new LogSearch(rpc, node.range);
    // A node that refused because of something else must not get single blocks for ever.
    node.range = firstRange;
    const reading = await ChainReading.start(rpc, search, this.#settings, payment);
    const found = payment.method === "eip3009"
      ? await findAuthorization(reading, payment)
      : await findPermit(reading, payment);
    await reading.confirm();
    node.range = search.range;
    return found;
  }
}

function wasClosed(): ChainError {
  return new ChainError("the reader of the chain was closed");
}
