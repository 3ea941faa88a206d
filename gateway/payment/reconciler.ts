import type {
  DoubtfulPayment,
  LedgerUpkeep,
  Resolution,
} from "../../store/ledger/ledger_upkeep.ts";
import type { PaymentLedger } from "../../store/ledger/payment_ledger.ts";
import type { Logger } from "../../store/log.ts";
import { isClosed } from "../../store/metric_catalogue.ts";
import type { Metrics } from "../../store/metrics.ts";
import type { ChainReader } from "../chain/chain_reader.ts";
import type { FacilitatorClient } from "../facilitator/facilitator_client.ts";
import { readClaim, type SettlementClaim } from "./settlement_claim.ts";

export interface ReconcilerDeps {
  readonly payments: PaymentLedger;
  readonly upkeep: LedgerUpkeep;
  readonly facilitator: FacilitatorClient;
  readonly chain: ChainReader;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** Payments taken at a time, questions under way, and those of them that one witness may hold up. */
const batch = 32;
const maxQuestions = 32;
const maxPerWitness = 4;
/** How soon after a doubt it is looked at, in ms. */
const noticeMs = 1_000;
/** A payment that nothing is found out about is told of at these of its checks. */
const toldAt = new Set([1, 6, 20]);
/** What facilitators say of an authorization that has been used, or cancelled, before. */
const usedReason = /nonce_already_used|authorization_(?:is_)?used/;

/**
 * Finds out in the background what became of payments that no request works on any more: whose
 * process died, or whose settlement nobody answered. It never sends money on its way: `/settle` is
 * for buyers who send their payment again.
 */
export class Reconciler {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dueAt = Infinity;
  #turn: Promise<void> | undefined;
  readonly #closing = new AbortController();
  /** Questions under way, by whom they are put to: a slow witness must not keep others waiting. */
  readonly #questions = new Map<string, Set<Promise<void>>>();

  /** @param intervalMs between two looks; a payment in doubt is asked about less and less often */
  constructor(private readonly deps: ReconcilerDeps, private readonly intervalMs: number) {}

  /** Begins with what a process before has left open. */
  start(): void {
    this.#schedule(0);
  }

  /** Something is in doubt: looks as soon as that may help, however often it is told. */
  readonly notice = (): void => {
    if (this.#turn === undefined) this.#schedule(noticeMs);
  };

  /** Breaks off what is being asked; it is asked again another time. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    await this.#turn;
    await Promise.all([...this.#questions.values()].flatMap((questions) => [...questions]));
  }

  /**
   * One look at all that is open; the answers come later.
   * @throws {LedgerUnavailable}
   */
  async turn(): Promise<void> {
    const { payments, upkeep, metrics, log } = this.deps;
    // First, so that a clock that was set, or a process that stood still, buries nobody alive.
    await payments.renewAll();
    for (const { id, state } of await upkeep.lapse()) {
      if (isClosed(state)) metrics.closedPayments.add(state);
      log.warn("payment was interrupted", { payment: id, state });
    }
    while (this.#underWay() < maxQuestions && !this.#closing.signal.aborted) {
      const doubtful = await upkeep.takeDoubtful(this.intervalMs, batch);
      for (const payment of doubtful) this.#ask(payment);
      if (doubtful.length < batch) break;
    }
    const open = metrics.openPayments = await upkeep.countOpen();
    metrics.paymentsInDoubt.set(open.get("executed")! + open.get("unknown")!);
  }

  #schedule(delayMs: number): void {
    const dueAt = performance.now() + delayMs;
    if (this.#closing.signal.aborted || dueAt >= this.#dueAt) return;
    clearTimeout(this.#timer);
    this.#dueAt = dueAt;
    this.#timer = setTimeout(() => {
      this.#dueAt = Infinity;
      this.#turn = this.turn().catch((error) => this.#report(error)).finally(() => {
        this.#turn = undefined;
        this.#schedule(this.intervalMs);
      });
    }, delayMs);
  }

  #report(error: unknown): void {
    // Nothing is lost: the next turn begins from what is on record.
    this.deps.log.warn("open payments not looked at", { reason: (error as Error).message });
  }

  #underWay(): number {
    let count = 0;
    for (const questions of this.#questions.values()) count += questions.size;
    return count;
  }

  /** Does not wait. Who comes when its witness has enough to do, comes again at its next check. */
  #ask(payment: DoubtfulPayment): void {
    const { network, facilitatorUrl } = payment;
    const witness = this.deps.chain.covers(network) ? network : facilitatorUrl;
    const questions = this.#questions.get(witness) ?? new Set();
    if (questions.size >= maxPerWitness) return;
    this.#questions.set(witness, questions);
    const question = this.#findOut(payment).catch((error) => this.#report(error)).finally(() => {
      questions.delete(question);
      if (questions.size === 0) this.#questions.delete(witness);
    });
    questions.add(question);
  }

  async #findOut(payment: DoubtfulPayment): Promise<void> {
    const { upkeep, metrics, log, chain } = this.deps;
    let answer: Resolution | "unused" | undefined;
    let reason = "the facilitator cannot tell; give --rpc-url for its network";
    try {
      answer = chain.covers(payment.network)
        ? await this.#askChain(payment)
        : await this.#askFacilitator(payment);
    } catch (error) {
      reason = (error as Error).message;
    }
    if (this.#closing.signal.aborted) return;
    if (answer === "unused") return await upkeep.foundUnused(payment);
    if (answer !== undefined) {
      if (!await upkeep.resolve(payment, answer)) return;
      metrics.closedPayments.add(answer.state);
      return log.info("settlement outcome found", { payment: payment.id, ...answer });
    }
    if (!toldAt.has(payment.checks)) return;
    log.warn("settlement outcome still unknown", { payment: payment.id, reason });
  }

  async #askChain(payment: DoubtfulPayment): Promise<Resolution | "unused"> {
    const { transferMethod: method, createdAt: since } = payment;
    const { signal } = this.#closing;
    const found = await this.deps.chain.find({ ...payment, method, since }, signal);
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
    const { payment: signed, terms, resourceUrl }: SettlementClaim = readClaim(payment.claim);
    const { signal } = this.#closing;
    const verdict = await this.deps.facilitator.verify(signed, terms, resourceUrl, signal);
    if (verdict.kind === "valid") return "unused";
    return usedReason.test(verdict.reason)
      ? { state: "undelivered", reason: "used, says the facilitator" }
      : undefined;
  }
}
