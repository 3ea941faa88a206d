import { ChainReading, type ReadingSettings } from "./chain_reading.ts";
import { findAuthorization } from "./find_authorization.ts";
import { findPermit } from "./find_permit.ts";
import { JsonRpc } from "./json_rpc.ts";
import { LogSearch } from "./log_search.ts";
import type { OnChain, SignedTransfer } from "./on_chain.ts";

export interface ChainReaderSettings extends ReadingSettings {
  /** In ms, for one call to a node with its whole answer. A reading takes 4 calls and more. */
  readonly timeoutMs: number;
}

const defaults: ChainReaderSettings = { confirmations: 2n, marginSeconds: 60n, timeoutMs: 10_000 };

/**
 * Asks the chain itself what became of payments whose settlement is in doubt. It takes seconds where
 * nodes are slow: nothing for the time of a request.
 */
export class ChainReader {
  readonly #networks = new Map<string, { rpc: JsonRpc; search: LogSearch }>();
  readonly #settings: ChainReaderSettings;

  /**
   * @param rpcUrls by CAIP-2 network: `eip155:84532`; http or https
   * @throws {TypeError} for what is no URL
   */
  constructor(rpcUrls: ReadonlyMap<string, string>, settings: Partial<ChainReaderSettings> = {}) {
    this.#settings = { ...defaults, ...settings };
    for (const [network, url] of rpcUrls) {
      const rpc = new JsonRpc(url, network, this.#settings.timeoutMs);
      this.#networks.set(network, { rpc, search: new LogSearch(rpc) });
    }
  }

  /** Whether payments on a network can be looked up. */
  covers(network: string): boolean {
    return this.#networks.has(network);
  }

  /**
   * @throws {ChainError} if nothing can be said now: the node is away, behind, on another chain, or
   * contradicts itself. Its message is for the log and has nothing secret.
   * @throws {TypeError} for a network that is not covered
   */
  async find(payment: SignedTransfer): Promise<OnChain> {
    const network = this.#networks.get(payment.network);
    if (network === undefined) throw new TypeError(`no RPC URL is known for ${payment.network}`);
    const reading = await ChainReading.start(network.rpc, network.search, this.#settings);
    const found = payment.method === "eip3009"
      ? await findAuthorization(reading, payment)
      : await findPermit(reading, payment);
    await reading.confirm();
    return found;
  }

  close(): void {
    for (const { rpc } of this.#networks.values()) rpc.close();
  }
}
