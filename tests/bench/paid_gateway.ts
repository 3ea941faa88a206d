/**
 * A gateway with one paid path, on a ledger or without one: what the ledger costs is the difference.
 * Usage: `paid_gateway.ts BACKEND FACILITATOR [LEDGER]`; prints the port.
 */
import type { Ledger } from "../../store/ledger/ledger.ts";
import { openLedger } from "../../store/ledger/open_ledger.ts";
import { defaultLedgerSettings } from "../../store/ledger/payment_ledger.ts";
import {
  memoryLedger,
  rule,
  snapshotOf,
  startTestGateway,
  usdcTerms,
} from "../support/test_gateway.ts";

const [backend = "", facilitator = "", path] = Deno.args;
const settings = defaultLedgerSettings;
const ledger = path === undefined
  ? forgetful()
  : await openLedger(path, { sync: "normal", settings });
const access = { kind: "paid", terms: usdcTerms(facilitator) } as const;
const snapshot = snapshotOf(backend, [rule("/api/weather", access)]);
const gateway = startTestGateway(snapshot, {}, ledger);
const line = `listening ${new URL(gateway.url).port}\n`;
Deno.stdout.writeSync(new TextEncoder().encode(line));

/** Agrees to everything and writes nothing down. */
function forgetful(): Ledger {
  const ledger = memoryLedger();
  let fence = 0;
  ledger.payments.reserve = ({ nonce }) =>
    Promise.resolve({ kind: "reserved", hold: { id: nonce, fence: ++fence } });
  ledger.payments.move = () => Promise.resolve();
  return ledger;
}
