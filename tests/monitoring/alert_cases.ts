/** Series of an hour, in promtool's notation (`0+1x60`: sixty times one more, a minute each). */
export interface AlertCase {
  readonly series: Readonly<Record<string, string>>;
  /** When to look, such as `30m`. */
  readonly at: string;
}

/** Of one alert: series at which it fires, and it alone, and series at which nothing does (yet). */
export interface AlertCases {
  readonly fires: readonly AlertCase[];
  readonly quiet: readonly AlertCase[];
}

function at(minutes: number, series: AlertCase["series"]): AlertCase {
  return { at: `${minutes}m`, series };
}

const settlements = (outcome: string) =>
  `x402_settlements_total{network="base", outcome="${outcome}"}`;
const closed = (state: string) => `x402_payments_closed_total{state="${state}"}`;
const calls = (call: string, outcome: string) =>
  `x402_facilitator_calls_total{facilitator="f", call="${call}", outcome="${outcome}"}`;
const condition = (condition: string, status: string, reason: string) =>
  `x402_route_conditions{condition="${condition}", status="${status}", reason="${reason}"}`;
const breaker = (state: string) => `x402_facilitator_breakers{facilitator="f", state="${state}"}`;
const leader = (instance: string) => `x402_leader{instance="${instance}"}`;

export const alertCases: Readonly<Record<string, AlertCases>> = {
  X402PaymentsInDoubt: {
    fires: [at(25, { 'x402_ledger_open_payments{state="unknown"}': "0x5 1x60" })],
    quiet: [
      at(18, { 'x402_ledger_open_payments{state="unknown"}': "0x5 1x60" }),
      at(40, { 'x402_ledger_open_payments{state="unknown"}': "0x5 1x10 0x60" }),
      at(40, { 'x402_ledger_open_payments{state="settling"}': "5x60" }),
    ],
  },
  X402SettlementsUnknown: {
    fires: [at(15, { [settlements("unknown")]: "0x10 1x60" })],
    quiet: [
      at(40, { [settlements("unknown")]: "0x10 1x60" }),
      at(40, { [settlements("settled")]: "0+5x60" }),
    ],
  },
  X402SettlementsFailing: {
    fires: [at(40, { [settlements("refused")]: "0+1x60", [settlements("settled")]: "0+2x60" })],
    quiet: [
      at(9, { [settlements("refused")]: "0x5 0+10x60", [settlements("settled")]: "0x60" }),
      at(40, { [settlements("refused")]: "0+1x60", [settlements("settled")]: "0+50x60" }),
      at(20, { [settlements("refused")]: "0x10 3x60", [settlements("settled")]: "0x60" }),
    ],
  },
  X402PaidButUndelivered: {
    fires: [at(40, { [closed("undelivered")]: "0+1x60", [closed("delivered")]: "0+5x60" })],
    quiet: [
      at(40, { [closed("undelivered")]: "0+1x60", [closed("delivered")]: "0+100x60" }),
      at(20, { [closed("undelivered")]: "0x10 1x60", [closed("delivered")]: "0x60" }),
      at(40, { [closed("rejected")]: "0+9x60", [closed("delivered")]: "0+1x60" }),
    ],
  },
  X402LedgerUnavailable: {
    fires: [at(20, { 'x402_refused_requests_total{code="ledger_unavailable"}': "0x10 0+2x50" })],
    quiet: [
      at(12, { 'x402_refused_requests_total{code="ledger_unavailable"}': "0x10 0+2x50" }),
      at(20, { 'x402_refused_requests_total{code="no_route"}': "0+10x60" }),
      at(40, { 'x402_refused_requests_total{code="ledger_unavailable"}': "0x10 3x50" }),
    ],
  },
  X402FacilitatorDown: {
    fires: [
      at(15, { [breaker("open")]: "0x10 1x50", [breaker("closed")]: "1x10 0x50" }),
      // Scraped while it was being tried whether the outage is over.
      at(15, { [breaker("open")]: "0x10 1 0 1 0 1x50", [breaker("half_open")]: "0x11 1 0 1 0x50" }),
    ],
    quiet: [
      at(12, { [breaker("open")]: "0x10 1x50" }),
      at(15, { [breaker("open")]: "0x12 1 0x50" }),
      at(15, { [breaker("closed")]: "3x60" }),
    ],
  },
  X402FacilitatorFailing: {
    fires: [
      at(30, { [calls("verify", "timeout")]: "0+2x60", [calls("verify", "answered")]: "0+5x60" }),
    ],
    quiet: [
      at(14, {
        [calls("verify", "timeout")]: "0x10 0+10x50",
        [calls("verify", "answered")]: "0x60",
      }),
      at(30, { [calls("verify", "timeout")]: "0+1x60", [calls("verify", "answered")]: "0+50x60" }),
      // What it supports is asked seldom, and nobody waits for it.
      at(30, { [calls("supported", "timeout")]: "0+2x60", [calls("verify", "answered")]: "0x60" }),
    ],
  },
  X402IngressNotPatched: {
    fires: [
      at(20, { [condition("IngressPatched", "False", "UnsafeIngress")]: "1x60" }),
      at(20, { [condition("IngressPatched", "False", "Pending")]: "2x60" }),
    ],
    quiet: [
      at(18, { [condition("IngressPatched", "False", "Pending")]: "0x15 1x50" }),
      at(20, { [condition("IngressPatched", "False", "NotApplied")]: "1x60" }),
      at(20, { [condition("IngressPatched", "True", "Patched")]: "9x60" }),
    ],
  },
  X402IngressReverted: {
    fires: [at(30, { "x402_ingress_reverts_total": "0+1x60" })],
    // Somebody at work.
    quiet: [at(15, { "x402_ingress_reverts_total": "0x10 2x60" })],
  },
  X402RouteNotReady: {
    fires: [at(30, { [condition("Ready", "False", "Invalid")]: "1x60" })],
    quiet: [
      at(25, { [condition("Ready", "False", "Invalid")]: "0x15 1x50" }),
      at(30, { [condition("Ready", "True", "Ready")]: "4x60" }),
    ],
  },
  X402SnapshotRefused: {
    fires: [at(30, { "x402_snapshot_last_plan_successful": "1x10 0x60" })],
    quiet: [at(14, { "x402_snapshot_last_plan_successful": "1x10 0x60" })],
  },
  X402SnapshotStale: {
    fires: [at(10, { "x402_snapshot_staleness_seconds": "0+60x60" })],
    quiet: [
      at(6, { "x402_snapshot_staleness_seconds": "0+60x60" }),
      at(10, { "x402_snapshot_staleness_seconds": "0 60 120 180 240 0x60" }),
    ],
  },
  X402OperatorAbsent: {
    fires: [at(30, { "x402_build_info": "1x10 _x60" })],
    quiet: [
      at(17, { "x402_build_info": "1x10 _x60" }),
      at(30, { "x402_build_info": "1x60" }),
    ],
  },
  X402NoLeader: {
    fires: [at(10, { [leader("a")]: "1x2 0x60", [leader("b")]: "0x60" })],
    quiet: [
      at(4, { [leader("a")]: "1x2 0x60", [leader("b")]: "0x60" }),
      at(10, { [leader("a")]: "1x8 0x60", [leader("b")]: "0x9 1x60" }),
      at(10, { [leader("a")]: "1x60", [leader("b")]: "0x60" }),
    ],
  },
  X402TwoLeaders: {
    fires: [at(10, { [leader("a")]: "1x60", [leader("b")]: "0x2 1x60" })],
    quiet: [at(10, { [leader("a")]: "1x60", [leader("b")]: "0x8 1x60" })],
  },
  X402Overloaded: {
    fires: [at(20, { 'x402_overloaded_requests_total{kind="unpaid"}': "0+60x60" })],
    quiet: [
      at(4, { 'x402_overloaded_requests_total{kind="unpaid"}': "0+60x60" }),
      at(20, { 'x402_overloaded_requests_total{kind="unpaid"}': "0+1x60" }),
    ],
  },
};
