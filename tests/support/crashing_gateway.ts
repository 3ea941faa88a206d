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
  readonly crash?: { readonly when: "before" | "after"; readonly move: PaymentState };
}

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
  const { payments } = ledger;
  const move = payments.move.bind(payments);
  payments.move = async (hold, to, details) => {
    if (to === at && when === "before") await die();
    await move(hold, to, details);
    if (to === at && when === "after") await die();
  };
  const reserve = payments.reserve.bind(payments);
  payments.reserve = async (payment) => {
    if (at === "reserved" && when === "before") await die();
    const reservation = await reserve(payment);
    if (at === "reserved" && when === "after") await die();
    return reservation;
  };
}

function die(): Promise<never> {
  Deno.kill(Deno.pid, "SIGKILL");
  return new Promise(() => {});
}
