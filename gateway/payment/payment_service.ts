import type { Ledger } from "../../store/ledger/ledger.ts";
import type { Retention } from "../../store/ledger/ledger_upkeep.ts";
import type { Logger } from "../../store/log.ts";
import type { Metrics } from "../../store/metrics.ts";
import { ChainReader } from "../chain/chain_reader.ts";
import type { FacilitatorClient } from "../facilitator/facilitator_client.ts";
import { LedgerCleaner } from "./ledger_cleaner.ts";
import { PaymentAdmission } from "./admission.ts";
import { InvalidSignatures } from "./invalid_signatures.ts";
import { PaymentBooks } from "./payment_books.ts";
import { PaymentCalls } from "./payment_calls.ts";
import { PaymentFlow } from "./payment_flow.ts";
import { Reconciler } from "./reconciler.ts";
import { SignatureGuard } from "./signature_guard.ts";

export interface PaymentSettings {
  /** Endpoints that are asked about settlements in doubt, by network (`eip155:8453`). */
  readonly rpcUrls: ReadonlyMap<string, string>;
  /** How often what is open is looked at, in ms. */
  readonly reconcileMs: number;
  readonly retention: Retention;
}

interface PaymentServiceDeps {
  readonly settings: PaymentSettings;
  readonly facilitator: FacilitatorClient;
  readonly ledger: Ledger;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** All that has to do with money, put together. */
export class PaymentService {
  readonly flow: PaymentFlow;
  readonly #books: PaymentBooks;
  readonly #chain: ChainReader;
  readonly #reconciler: Reconciler;
  readonly #cleaner: LedgerCleaner;

  constructor(private readonly deps: PaymentServiceDeps) {
    const { settings, facilitator, ledger, metrics, log } = deps;
    const { payments, identifiers, upkeep } = ledger;
    const signatures = new SignatureGuard(new InvalidSignatures(), facilitator);
    const books = this.#books = new PaymentBooks(payments, log);
    const chain = this.#chain = new ChainReader(settings.rpcUrls);
    const reconciler = this.#reconciler = new Reconciler(
      { payments, upkeep, facilitator, chain, metrics, log },
      settings.reconcileMs,
    );
    this.#cleaner = new LedgerCleaner(upkeep, settings.retention, log);
    reconciler.start();
    this.flow = new PaymentFlow({
      admission: new PaymentAdmission(payments, identifiers, signatures),
      calls: new PaymentCalls({ facilitator, signatures, metrics, log }),
      ledger: payments,
      books,
      log,
      onDoubt: reconciler.notice,
    });
  }

  /** For the end of the process: writes what is still to be written, and says what stays open. */
  async close(): Promise<void> {
    // What has happened first: it must be written even if something else does not end in time.
    await this.#books.close();
    await Promise.all([this.#reconciler.close(), this.#cleaner.close()]);
    this.#chain.close();
    for (const payment of this.deps.ledger.payments.held()) {
      this.deps.log.error("payment left open at the shutdown", { payment });
    }
  }
}
