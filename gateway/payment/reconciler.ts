import type {
  DoubtfulPayment,
  LedgerUpkeep,
  Resolution,
  Retention,
} from "../../store/ledger/ledger_upkeep.ts";
import { LedgerUnavailable } from "../../store/ledger/sql_database.ts";
import type { Logger } from "../../store/log.ts";
import type { Metrics } from "../../store/metrics.ts";
import type { ChainReader } from "../chain/chain_reader.ts";
import type { FacilitatorClient } from "../facilitator/facilitator_client.ts";
import { readClaim, type SettlementClaim } from "./settlement_claim.ts";

export interface ReconcilerDeps {
  readonly upkeep: LedgerUpkeep;
  readonly facilitator: FacilitatorClient;
  readonly chain: ChainReader;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** All in ms. */
export interface ReconcilerSettings {
  /** Between two looks at what is open; a payment in doubt is asked about less and less often. */
  readonly intervalMs: number;
  readonly retention: Retention;
}

/** Payments asked about at the same time. */
const batch = 16;
/** Between two removals of what is over, in ms. */
const pruneMs = 60_000;
/** What facilitators say of an authorization that has been used, or cancelled, before. */
const usedReason = /nonce_already_used|authorization_(?:is_)?used/;

/**
 * Finds out in the background what became of payments that no request works on any more: whose
 * process died, or whose settlement nobody answered. It never sends money on its way: `/settle` is
 * for buyers who send their payment again.
 */
export class Reconciler {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #turn: Promise<void> | undefined;
  #closed = false;
  #pruneAt = 0;

  constructor(
    private readonly deps: ReconcilerDeps,
    private readonly settings: ReconcilerSettings,
  ) {}

  /** Begins with what a process before has left open. */
  start(): void {
    this.#schedule(0);
  }

  /** Something is in doubt: looks as soon as that may help. */
  readonly notice = (): void => {
    if (this.#turn === undefined) this.#schedule(Math.min(this.settings.intervalMs, 1_000));
  };

  /** Resolves when the last turn is over. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#turn;
  }

  /**
   * One look at all that is open.
   * @throws {LedgerUnavailable}
   */
  async turn(): Promise<void> {
    const { upkeep, log } = this.deps;
    for (const { id, state } of await upkeep.lapse()) {
      log.warn("payment was interrupted", { payment: id, state });
    }
    for (;;) {
      const doubtful = await upkeep.takeDoubtful(this.settings.intervalMs, batch);
      await Promise.all(doubtful.map((payment) => this.#findOut(payment)));
      if (doubtful.length < batch || this.#closed) break;
    }
    this.deps.metrics.paymentsInDoubt.set(await upkeep.countDoubtful());
    if (performance.now() < this.#pruneAt) return;
    this.#pruneAt = performance.now() + pruneMs;
    await upkeep.prune(this.settings.retention);
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#turn = this.turn().catch((error) => this.#report(error)).finally(() => {
        this.#turn = undefined;
        this.#schedule(this.settings.intervalMs);
      });
    }, delayMs);
  }

  #report(error: unknown): void {
    // Nothing is lost: the next turn begins from what is on record.
    this.deps.log.warn("open payments not looked at", { reason: (error as Error).message });
  }

  async #findOut(payment: DoubtfulPayment): Promise<void> {
    const { upkeep, log } = this.deps;
    let answer: Resolution | "unused" | undefined;
    try {
      answer = this.deps.chain.covers(payment.network)
        ? await this.#askChain(payment)
        : await this.#askFacilitator(payment);
    } catch (error) {
      if (error instanceof LedgerUnavailable) throw error;
      const reason = (error as Error).message;
      return log.warn("settlement outcome still unknown", { payment: payment.id, reason });
    }
    if (answer === "unused") return await upkeep.foundUnused(payment);
    if (answer === undefined || !await upkeep.resolve(payment, answer)) return;
    log.info("settlement outcome found", { payment: payment.id, ...answer });
  }

  async #askChain(payment: DoubtfulPayment): Promise<Resolution | "unused"> {
    const { transferMethod: method, createdAt: since } = payment;
    const found = await this.deps.chain.find({ ...payment, method, since });
    switch (found.kind) {
      case "settled":
        return {
          state: "undelivered",
          transaction: found.transaction,
          reason: "found on the chain",
        };
      case "cancelled":
        return { state: "released", reason: "the payer cancelled the authorization" };
      case "used_elsewhere":
        return { state: "released", reason: "the authorization was used for another transfer" };
      case "unused":
        return found.expired
          ? { state: "released", reason: "the authorization expired unused" }
          : "unused";
    }
  }

  /**
   * All that a facilitator can be asked without moving money is whether the payment is valid now. It
   * tells an authorization that was used from one that was cancelled no more than the token does; the
   * payer could have cancelled it in the moments of an outage, and only the chain would tell.
   */
  async #askFacilitator(payment: DoubtfulPayment): Promise<Resolution | "unused" | undefined> {
    if (payment.claim === undefined) return undefined;
    const claim: SettlementClaim = readClaim(payment.claim);
    const { facilitator } = this.deps;
    const verdict = await facilitator.verify(claim.payment, claim.terms, claim.resourceUrl);
    if (verdict.kind === "valid") return "unused";
    return usedReason.test(verdict.reason)
      ? { state: "undelivered", reason: "used, says the facilitator" }
      : undefined;
  }
}
