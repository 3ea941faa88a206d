import type { OperatorProcess } from "../cluster/operator_process.ts";
import { ageSeconds } from "./process_usage.ts";

/** `performance.now()` of when the process was started. */
export async function startOf({ pid }: OperatorProcess): Promise<number> {
  return performance.now() - await ageSeconds(pid) * 1000;
}

/** Resolves with `performance.now()`; readiness is a state, not an event: it has to be asked for. */
export async function untilReady({ probeUrl }: OperatorProcess, timeout = 60_000): Promise<number> {
  const deadline = performance.now() + timeout;
  for (;;) {
    const reply = await fetch(`${probeUrl}/readyz`);
    await reply.body?.cancel();
    if (reply.ok) return performance.now();
    if (performance.now() > deadline) {
      throw new Error(`The operator is not ready in ${timeout} ms.`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Requests to the API server so far, by `VERB RESOURCE`. */
export async function apiCalls(operator: OperatorProcess): Promise<Map<string, number>> {
  const calls = new Map<string, number>();
  const samples = /^x402_kube_requests_total\{(.*)\} (\d+)$/gm;
  for (const [, labels, count] of (await operator.metrics()).matchAll(samples)) {
    const [verb, resource] = ["verb", "resource"]
      .map((name) => new RegExp(`${name}="([^"]*)"`).exec(labels!)![1]);
    const key = `${verb} ${resource}`;
    calls.set(key, (calls.get(key) ?? 0) + Number(count));
  }
  return calls;
}
