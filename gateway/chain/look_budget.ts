import type { z } from "zod";
import type { JsonRpc, Rpc } from "./json_rpc.ts";
import { ChainError } from "./on_chain.ts";

/**
 * What one look at one payment may cost. Whoever is given a payment that cannot be found (a node
 * that dropped its logs, or allows ten blocks at once over days of them) must not spend a provider's
 * quota on it, nor keep others waiting.
 */
export interface LookBudget {
  /** Calls to the node, refused ones with them. */
  readonly maxCalls: number;
  /** In ms, with the time that calls wait for those of other looks. */
  readonly lookMs: number;
}

/** The node of one look, until its budget is spent or its signal aborts. */
export class BudgetedRpc implements Rpc {
  #left: number;

  constructor(
    private readonly rpc: JsonRpc,
    private readonly maxCalls: number,
    private readonly signal: AbortSignal,
  ) {
    this.#left = maxCalls;
  }

  /** @throws {ChainError} also when there were too many calls; the signal's reason when it aborts */
  async call<S extends z.ZodType>(
    method: string,
    params: readonly unknown[],
    schema: S,
  ): Promise<z.output<S>> {
    if (this.#left-- === 0) {
      throw new ChainError(`not found within the budget of ${this.maxCalls} calls`);
    }
    return await this.rpc.call(method, params, schema, this.signal);
  }
}
