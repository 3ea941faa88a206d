import type { Ledger } from "../../store/ledger/ledger.ts";
import type { Logger } from "../../store/log.ts";
import { isClosed } from "../../store/metric_catalogue.ts";
import type { Metrics } from "../../store/metrics.ts";
import type { FacilitatorClient } from "../facilitator/facilitator_client.ts";
import { PaymentAdmission } from "./admission.ts";
import { InvalidSignatures } from "./invalid_signatures.ts";
import { PaymentBooks } from "./payment_books.ts";
import { PaymentCalls } from "./payment_calls.ts";
import { PaymentFlow } from "./payment_flow.ts";
import { SignatureGuard } from "./signature_guard.ts";

export interface PaymentServiceDeps {
  readonly facilitator: FacilitatorClient;
  readonly ledger: Ledger;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Told when a settlement is in doubt, so that somebody finds out. */
  readonly onDoubt: () => void;
}

/** What requests that pay need, put together. */
export class PaymentService {
  readonly flow: PaymentFlow;
  readonly #books: PaymentBooks;

  constructor(private readonly deps: PaymentServiceDeps) {
    const { facilitator, ledger, metrics, log, onDoubt } = deps;
    const { payments, identifiers } = ledger;
    const signatures = new SignatureGuard(new InvalidSignatures(), facilitator);
    const books = this.#books = new PaymentBooks(payments, log, 1_000, (state) => {
      if (isClosed(state)) metrics.closedPayments.add(state);
    });
    this.flow = new PaymentFlow({
      admission: new PaymentAdmission(payments, identifiers, signatures),
      calls: new PaymentCalls({ facilitator, signatures, metrics, log }),
      ledger: payments,
      books,
      log,
      onDoubt,
    });
  }

  /** For the end of the process: writes what is still to be written, and says what stays open. */
  async close(): Promise<void> {
    await this.#books.close();
    for (const payment of this.deps.ledger.payments.held()) {
      this.deps.log.error("payment left open at the shutdown", { payment });
    }
  }
}
