import type { FacilitatorTally } from "../../store/facilitator_metrics.ts";
import type { FacilitatorCallName } from "../../store/metric_catalogue.ts";
import { FacilitatorFailure } from "./facilitator_failure.ts";

/** Counts a call by what came of it: its failure may be thrown, or part of an outcome. */
export async function counted<T extends object>(
  tally: FacilitatorTally,
  call: FacilitatorCallName,
  work: () => Promise<T>,
): Promise<T> {
  try {
    const result = await work();
    tally.outcomes[call].add(outcomeOf((result as { failure?: unknown }).failure));
    return result;
  } catch (error) {
    tally.outcomes[call].add(outcomeOf(error));
    throw error;
  }
}

/** The time that a call takes, however it ends. */
export async function timed<T>(
  tally: FacilitatorTally,
  call: FacilitatorCallName,
  work: () => Promise<T>,
): Promise<T> {
  const start = performance.now();
  try {
    return await work();
  } finally {
    tally.durations[call].observe(performance.now() - start);
  }
}

/** One of `callOutcomes`. */
function outcomeOf(failure: unknown): string {
  if (failure === undefined) return "answered";
  return failure instanceof FacilitatorFailure
    ? failure.code.replace("facilitator_", "")
    // A fault of ours with an answer that is none of those that were thought of.
    : "invalid";
}
