/** What became of all payments of a soak, once nobody sends any more. */
import type { ClientBed } from "./client.ts";
import { toolsOf } from "./crowd.ts";
import { claimOwed } from "./paid_clients.ts";
import type { SoakBed } from "./soak_bed.ts";
import { pause } from "./pause.ts";

/**
 * Ms until a payment that an outage left in doubt is served: the reconciler has asked about it so
 * often that it waits 12 s until the next time (60 intervals), and an authorization that is unused
 * may be settled when 10 s have passed.
 */
const claimMs = 30_000;

/** Sends what is owed once more, until all of it is served. */
export async function claimAll(clients: ClientBed, seed: number): Promise<void> {
  const client = toolsOf(clients, { kind: "the same once more" }, seed, 999);
  using _lane = client.lane;
  for (const end = performance.now() + claimMs; await claimOwed(client) > 0;) {
    if (performance.now() > end) {
      return clients.journal.violate(`${clients.owed.length} payments never got their reply`);
    }
    await pause(1_000);
  }
}

/**
 * Compares what buyers, backends and facilitators saw.
 * @returns figures
 */
export function checkPayments(
  bed: SoakBed,
  { account, journal, owed }: ClientBed,
): (readonly [name: string, figure: string])[] {
  const runs = new Map<string, number>();
  for (const backend of [bed.steadyBackend, bed.frailBackend]) {
    backend.count();
    for (const [label, count] of backend.runs) runs.set(label, (runs.get(label) ?? 0) + count);
  }
  const facilitators = [bed.steadyFacilitator, bed.frailFacilitator];
  const settled = new Map(facilitators.flatMap((facilitator) => [...facilitator.settled]));
  for (const what of account.check(runs, settled)) journal.violate(what);
  for (const nonce of facilitators.flatMap(({ settledAgain }) => settledAgain)) {
    journal.violate(`settled a second time: ${nonce}`);
  }
  return [
    ...[...account.tally(settled)].map(([fate, count]) =>
      [`payments ${fate}`, String(count)] as const
    ),
    ["payments still owed a reply", String(owed.length)],
  ];
}
