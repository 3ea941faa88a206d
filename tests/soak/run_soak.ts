import { cpuSeconds } from "../bench/process_usage.ts";
import type { ClientBed } from "./client.ts";
import { Crowd, paymentsPerSecond } from "./crowd.ts";
import { provenKinds } from "./expectations.ts";
import { FaultLog } from "./fault_log.ts";
import { FaultMaker } from "./fault_maker.ts";
import { judgeGrowth, judgeHandles } from "./growth.ts";
import { Journal } from "./journal.ts";
import { PaymentAccount } from "./payment_account.ts";
import { checkPayments, claimAll } from "./payments_check.ts";
import { handlesOf, ProcessWatch } from "./process_watch.ts";
import { Purse } from "./purse.ts";
import { type SoakBed, startSoakBed } from "./soak_bed.ts";
import { pause } from "./pause.ts";

export interface SoakOptions {
  /** Of load with faults; what is looked at afterwards takes up to half a minute more. */
  readonly seconds: number;
  readonly seed: number;
  /** More flags of `gateway`. */
  readonly flags?: readonly string[];
}

/** Everything that there is to tell. */
export interface SoakReport {
  readonly journal: Journal;
  readonly faults: FaultLog;
  readonly figures: readonly (readonly [name: string, figure: string])[];
}

/** Ms until everything has to work again after the last fault: a circuit breaker tries every 10 s. */
const recoveryMs = 25_000;
/** Payments signed beforehand at most. */
const maxSigned = 8_000;

/** Runs a soak from the start of the gateway to its end. */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const { seconds, seed, flags = [] } = options;
  await using bed = await startSoakBed(seed, flags);
  const { gateway, writer } = bed;
  const faults = new FaultLog();
  const journal = new Journal(faults);
  const clients = clientBed(bed, journal);
  // Most visits take longer than the pause after them.
  await clients.purse.fill(Math.min(maxSigned, Math.ceil(seconds * paymentsPerSecond / 2)));
  const idle = await handlesOf(gateway.pid);
  const cpuBefore = await cpuSeconds(gateway.pid);
  const watch = new ProcessWatch(gateway.pid);

  writer.start();
  const took = await underLoad(bed, clients, options, faults);
  await watch.stop();
  await writer.stop();
  const cpu = await cpuSeconds(gateway.pid) - cpuBefore;
  await claimAll(clients, seed);
  const payments = checkPayments(bed, clients);
  const growth = judgeGrowth(watch, journal);
  await bed.leaveGatewayAlone();
  const left = await judgeHandles(gateway.pid, idle, journal);
  const swaps = gateway.log().filter(({ msg }) => msg === "routes in force").length;
  // On a busy machine two changes may be seen as one.
  if (swaps < writer.changes / 2) journal.violate(`only ${swaps} snapshots were swapped`);
  for (const fault of await bed.end()) journal.violate(fault);

  return {
    journal,
    faults,
    figures: [
      ["visits of clients", `${journal.visits} in ${took.toFixed(1)} s`],
      ["CPU of the gateway", `${cpu.toFixed(1)} s, ${(cpu / took * 100).toFixed(0)}% of a core`],
      ["requests sent again", `${journal.retries}, as a connection was closed while it was idle`],
      ["changes of the folder", `${writer.changes}, and ${writer.brokenChanges} broken ones`],
      ["snapshots swapped", `${swaps}, ${(swaps / took).toFixed(1)} a second`],
      ...payments,
      ...growth,
      ["handles when nobody is there", left],
    ],
  };
}

/** @returns seconds that it took */
async function underLoad(
  { frailBackend, frailFacilitator }: SoakBed,
  clients: ClientBed,
  { seconds, seed }: SoakOptions,
  faults: FaultLog,
): Promise<number> {
  const began = performance.now();
  const ms = seconds * 1_000;
  const targets = { backend: frailBackend, facilitator: frailFacilitator, log: faults };
  const maker = new FaultMaker(targets, seed, ms);
  const crowd = new Crowd(clients, seed);
  maker.start();
  await Promise.race([pause(ms), crowd.running, maker.running]);
  await maker.stop();
  await recovered(clients.journal);
  await crowd.stop();
  return (performance.now() - began) / 1_000;
}

function clientBed({ gateway }: SoakBed, journal: Journal): ClientBed {
  return {
    port: Number(new URL(gateway.url).port),
    metricsUrl: gateway.metricsUrl,
    probeUrl: gateway.probeUrl,
    journal,
    purse: new Purse(),
    account: new PaymentAccount(),
    owed: [],
  };
}

/** Every kind of client has to get what it wants once more, with all faults over. */
async function recovered(journal: Journal): Promise<void> {
  const since = performance.now();
  const missing = () => provenKinds.filter((kind) => !journal.isProven(kind, since));
  while (missing().length > 0) {
    if (performance.now() > since + recoveryMs) {
      return journal.violate(`no success after all faults: ${missing().join("; ")}`);
    }
    await pause(50);
  }
}
