import type { Ledger } from "../../store/ledger/ledger.ts";
import type { Retention } from "../../store/ledger/ledger_upkeep.ts";
import type { Logger } from "../../store/log.ts";
import type { Metrics } from "../../store/metrics.ts";
import { ChainReader } from "../chain/chain_reader.ts";
import type { FacilitatorClient } from "../facilitator/facilitator_client.ts";
import { LedgerCleaner } from "./ledger_cleaner.ts";
import { Reconciler } from "./reconciler.ts";

export interface PaymentSettings {
  /** Endpoints that are asked about settlements in doubt, by network (`eip155:8453`). */
  readonly rpcUrls: ReadonlyMap<string, string>;
  /** How often what is open is looked at, in ms. */
  readonly reconcileMs: number;
  readonly retention: Retention;
}

interface PaymentUpkeepDeps {
  readonly settings: PaymentSettings;
  readonly facilitator: FacilitatorClient;
  readonly ledger: Ledger;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** What looks after the ledger in the background, once a process. */
export class PaymentUpkeep {
  readonly #chain: ChainReader;
  readonly #reconciler: Reconciler;
  readonly #cleaner: LedgerCleaner;

  constructor({ settings, facilitator, ledger, metrics, log }: PaymentUpkeepDeps) {
    const { payments, upkeep } = ledger;
    const chain = this.#chain = new ChainReader(settings.rpcUrls);
    this.#reconciler = new Reconciler(
      { payments, upkeep, facilitator, chain, metrics, log },
      settings.reconcileMs,
    );
    this.#cleaner = new LedgerCleaner(upkeep, settings.retention, log);
    this.#reconciler.start();
  }

  /** A settlement is in doubt. */
  readonly notice = (): void => this.#reconciler.notice();

  async close(): Promise<void> {
    await Promise.all([this.#reconciler.close(), this.#cleaner.close()]);
    this.#chain.close();
  }
}
