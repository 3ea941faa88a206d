import type { LogLine } from "../rig/gateway_process.ts";

/** Log messages that no fault outside may cause. */
const faultsOfOurs =
  /^(?:unhandled rejection|uncaught exception|unanswered failure|accept loop ended|cannot accept connections|routes could not be put in force|drain timeout|payment left open)/;

/**
 * What in the gateway's output is a fault of its own.
 * @param errors its standard error, on which a healthy one says nothing
 */
export function faultsIn(log: readonly LogLine[], errors: string): string[] {
  const faults = log.filter(({ msg, code }) => faultsOfOurs.test(msg) || code === "internal_error")
    .map((line) => `log: ${JSON.stringify(line)}`);
  if (errors.trim() !== "") faults.push(`standard error: ${errors.trim().slice(0, 2_000)}`);
  return faults;
}
