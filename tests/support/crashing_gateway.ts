/**
 * A gateway process on a ledger of its own or a shared one, which can be made to die (SIGKILL) right
 * before or after a move of the state machine is on record. Usage: `crashing_gateway.ts PLAN` with a
 * {@link CrashPlan} as JSON; prints `{"listening": URL}`.
 */
import { openLedger } from "../../store/ledger/open_ledger.ts";
import { defaultLedgerSettings } from "../../store/ledger/payment_ledger.ts";
import type { PaymentState } from "../../store/ledger/payment_state.ts";
import type { RouteSnapshot } from "../../store/route_snapshot.ts";
import { startTestGateway } from "./test_gateway.ts";

export interface CrashPlan {
  /** As the flag `--ledger`. */
  readonly ledger: string;
  readonly snapshot: RouteSnapshot;
  readonly rpcUrl?: string;
  readonly leaseMs: number;
  readonly crash?: { readonly when: "before" | "after"; readonly move: CrashPoint };
}

/** A move of a request, or a step of the reconciler. */
export type CrashPoint = PaymentState | "lapse" | "takeDoubtful" | "resolve";

const plan: CrashPlan = JSON.parse(Deno.args[0]!);
const ledger = await openLedger(plan.ledger, {
  sync: "normal",
  settings: { ...defaultLedgerSettings, leaseMs: plan.leaseMs },
});
if (plan.crash !== undefined) dieAt(plan.crash);
const rpcUrls = new Map(plan.rpcUrl === undefined ? [] : [["eip155:84532", plan.rpcUrl]]);
const gateway = startTestGateway(plan.snapshot, { rpcUrls, reconcileMs: 100 }, ledger);
// deno-lint-ignore no-console -- how the starter learns the port
console.log(JSON.stringify({ listening: gateway.url }));

function dieAt({ when, move: at }: NonNullable<CrashPlan["crash"]>): void {
  const { payments, upkeep } = ledger;
  /** Dies where it is due; `done` says whether there was anything to do. */
  const around = async <T>(point: string, work: () => Promise<T>, done: (result: T) => boolean) => {
    if (point === at && when === "before") await die();
    const result = await work();
    if (point === at && when === "after" && done(result)) await die();
    return result;
  };
  const always = () => true;
  const { move, reserve } = payments;
  payments.move = (hold, to, details) =>
    around(to, () => move.call(payments, hold, to, details), always);
  payments.reserve = (payment) => around("reserved", () => reserve.call(payments, payment), always);
  const { lapse, takeDoubtful, resolve } = upkeep;
  const some = (rows: readonly unknown[]) => rows.length > 0;
  upkeep.lapse = () => around("lapse", () => lapse.call(upkeep), some);
  upkeep.takeDoubtful = (interval, limit) =>
    around("takeDoubtful", () => takeDoubtful.call(upkeep, interval, limit), some);
  upkeep.resolve = (payment, resolution) =>
    around("resolve", () => resolve.call(upkeep, payment, resolution), always);
}

function die(): Promise<never> {
  Deno.kill(Deno.pid, "SIGKILL");
  return new Promise(() => {});
}
