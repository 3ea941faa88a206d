/**
 * The world around the payment flow, as a model: a chain, a facilitator, a backend and buyers, all of
 * whose answers wait until the test says which comes next and what it is. Two gateway processes share
 * one ledger; they crash, stall and lose their database. The flow, the ledger and the reconciler are
 * the real ones.
 */
import assert from "node:assert/strict";
import type { ChainReader } from "../../gateway/chain/chain_reader.ts";
import type { FacilitatorClient } from "../../gateway/facilitator/facilitator_client.ts";
import { Failure } from "../../gateway/failures.ts";
import { type Delivery, emptyReply } from "../../gateway/front/reply.ts";
import { UpstreamFailure } from "../../gateway/upstream/transport.ts";
import { defaultLedgerSettings } from "../../store/ledger/payment_ledger.ts";
import type { SqlDatabase } from "../../store/ledger/sql_database.ts";
import type { ModelDatabase } from "./model_database.ts";
import { GatewayModel } from "./model_gateway.ts";
import { type BuyersPayment, PaymentPlan } from "./model_payment.ts";

/** A call that somebody waits for. */
interface Pending {
  readonly gateway: GatewayModel;
  answer(choice: number): void;
}

/** How long after the settlement, and how often, replies may be fetched again: the ledger's settings. */
export const redelivery = defaultLedgerSettings;

export class World {
  readonly payments: PaymentPlan[];
  readonly gateways: GatewayModel[] = [];
  readonly #pending: Pending[] = [];
  /** Settlements that a facilitator has accepted and not made yet. */
  readonly #late: PaymentPlan[] = [];

  /** @param readsChain whether gateways have an RPC endpoint */
  constructor(
    private readonly model: ModelDatabase,
    readonly readsChain: boolean,
    payments: number,
  ) {
    model.now = 1_800_000_000_000;
    this.payments = Array.from({ length: payments }, (_, i) => new PaymentPlan(i, this.now));
    for (let i = 0; i < 2; i++) this.gateways.push(new GatewayModel(this));
  }

  get database(): SqlDatabase {
    return this.model.database;
  }

  /** ms since 1970 */
  get now(): number {
    return this.model.now;
  }

  wait(ms: number): void {
    this.model.now += ms;
  }

  /** A buyer sends a payment to one of the gateways. */
  send(which: number, gateway: number, purchase: BuyersPayment): void {
    const plan = this.payments[which % this.payments.length]!;
    this.gateways[gateway % 2]!.serve(plan, purchase);
  }

  answer(which: number, choice: number): void {
    if (this.#pending.length === 0) return;
    this.#pending.splice(which % this.#pending.length, 1)[0]!.answer(choice);
  }

  /** The process is gone; what it was asked for may still happen in the world, and reaches nobody. */
  crash(which: number): void {
    this.gateways[which % 2]!.die();
    this.gateways[which % 2] = new GatewayModel(this);
  }

  /** A transaction that was on its way is mined. */
  mine(): void {
    const plan = this.#late.shift();
    if (plan !== undefined) plan.moveMoney(this.now);
  }

  cancel(which: number): void {
    // Without the chain nobody can tell a cancelled authorization from a used one.
    if (this.readsChain) this.payments[which % this.payments.length]!.cancel();
  }

  /** All that is under way comes to its end, and everybody looks until nothing is open any more. */
  async quiesce(): Promise<void> {
    for (let round = 0; round < 40; round++) {
      while (this.#pending.length > 0) {
        this.answer(0, 0);
        await this.model.settled();
      }
      while (this.#late.length > 0) this.mine();
      for (const gateway of this.gateways) gateway.heal();
      this.wait(round < 8 ? 31_000 : 3_600_000);
      for (const gateway of this.gateways) gateway.reconcile();
      await this.model.settled();
    }
  }

  facilitator(gateway: GatewayModel): FacilitatorClient {
    return {
      verify: (payment: { raw: { plan: number } }) => {
        const plan = this.payments[payment.raw.plan]!;
        return this.#wait(gateway, (choice) => {
          if (choice === 3) throw new Failure("facilitator_unreachable", "model");
          const reason = plan.refusal(this.now);
          return reason === undefined ? { kind: "valid" } : { kind: "invalid", reason };
        });
      },
      settle: (payment: { raw: { plan: number } }) => {
        const plan = this.payments[payment.raw.plan]!;
        plan.settleCalls++;
        return this.#wait(gateway, (choice) => this.#settle(plan, choice));
      },
    } as unknown as FacilitatorClient;
  }

  #settle(plan: PaymentPlan, choice: number): unknown {
    const inDoubt = {
      kind: "unknown",
      failure: new Failure("settlement_unknown", "model"),
    } as const;
    switch (choice) {
      case 1: // settled, and the answer is lost
        plan.moveMoney(this.now);
        return inDoubt;
      case 2: // neither settled nor answered
        return inDoubt;
      case 3:
        return { kind: "not_sent", failure: new Failure("facilitator_unreachable", "model") };
      case 4: // not answered, and settled later
        this.#late.push(plan);
        return inDoubt;
      default: {
        const reason = plan.refusal(this.now);
        if (reason !== undefined) return { kind: "refused", reason };
        plan.moveMoney(this.now);
        return { kind: "settled", transaction: plan.transaction };
      }
    }
  }

  chain(): ChainReader {
    return {
      covers: () => this.readsChain,
      find: ({ nonce }: { nonce: string }) => {
        const plan = this.payments.find((each) => each.nonce === nonce)!;
        return Promise.resolve(plan.onChain(this.now));
      },
    } as unknown as ChainReader;
  }

  /** The backend is called for a payment: this is where the promises to the seller are checked. */
  callBackend(gateway: GatewayModel, plan: PaymentPlan, isPaid: boolean): Promise<unknown> {
    plan.checkExecution(isPaid);
    plan.executions++;
    return this.#wait(gateway, (choice) => {
      if (choice === 1) {
        plan.executions--;
        throw new UpstreamFailure("upstream_unreachable", "model", "no");
      }
      if (choice === 2) throw new UpstreamFailure("upstream_reset", "model", "maybe");
      const status = choice === 3 ? 500 : 200;
      const { promise: delivery, resolve } = Promise.withResolvers<Delivery>();
      const deliver = (outcome: number): Delivery => {
        if (outcome !== 0) return "aborted";
        if (status === 200) plan.delivered++;
        return "delivered";
      };
      return {
        status,
        delivery,
        finish: (headers: [string, string][]) => {
          this.#wait(gateway, deliver).then(resolve);
          return emptyReply(status, headers);
        },
        discard: () => {},
      };
    });
  }

  #wait<T>(gateway: GatewayModel, make: (choice: number) => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#pending.push({
      gateway,
      answer(choice) {
        try {
          const answer = make(choice);
          if (gateway.alive) resolve(answer);
        } catch (error) {
          if (gateway.alive) reject(error);
        }
      },
    });
    // Nobody may be listening any more.
    promise.catch(() => {});
    return promise;
  }
}

/** What must be true of every payment when nothing is under way. */
export function checkBooks(plan: PaymentPlan, row: Record<string, unknown>, chain: boolean): void {
  const state = String(row.state);
  const context = `${state}, ${JSON.stringify({ ...plan, payment: undefined })}`;
  assert.ok(plan.moved <= 1, `money moved once at the most: ${context}`);
  const ended = ["delivered", "rejected", "released", "undelivered", "unknown"];
  assert.ok(ended.includes(state), `no row is stuck: ${context}`);
  if (chain) assert.notEqual(state, "unknown", `found out: ${context}`);
  const charged = state === "delivered" || state === "undelivered";
  if (charged) assert.equal(plan.moved, 1, `charged means paid: ${context}`);
  if (state === "rejected" || state === "released") {
    assert.equal(plan.moved, 0, `not charged means not paid: ${context}`);
  }
  if (plan.delivered > 0) assert.ok(charged || state === "unknown", `delivered: ${context}`);
  if (plan.delivered > 0) assert.equal(plan.moved, 1, `delivered means paid: ${context}`);
  // Once unpaid, once when it is settled after all, and each time that it is fetched again.
  assert.ok(plan.executions <= 2 + redelivery.redeliveries, `executed: ${context}`);
}
