import { Failure } from "../failures.ts";

/**
 * How many gateways of this kind a request has passed. Not `Via` (RFC 9110, 7.6.3), which would say
 * the same: nginx stops compressing its replies to requests that carry it.
 */
export const hopsHeader = "x-402-hops";

/**
 * Gateways that a request may have passed before. More than one, because that is no loop yet: a paid
 * site calls a paid API behind the same gateway, or behind another installation.
 */
const maxPassed = 4;

/** The value for the backend; `received` is the client's. */
export function nextHop(received: string | null): string {
  return String(passed(received) + 1);
}

/**
 * Refuses what goes round in circles: each round would be one more request, without end. A client
 * that writes the header itself harms nobody else.
 * @throws {Failure} `loop_detected`
 */
export function checkLoop(received: string | null): void {
  const count = passed(received);
  if (count > maxPassed) throw new Failure("loop_detected", `${hopsHeader} is ${count}`);
}

function passed(received: string | null): number {
  return received !== null && /^\d{1,9}$/.test(received) ? Number(received) : 0;
}
