import { openStates, type PaymentState, paymentStates } from "./ledger/payment_state.ts";

/** What is known of a metric besides its numbers; `docs/metrics.md` is made of it. */
export interface MetricDefinition {
  readonly type: "counter" | "gauge" | "histogram";
  /** One sentence without the last dot, as `# HELP` shows it. */
  readonly help: string;
  /** By label, in their order: all values that it can have, or in words where they come from. */
  readonly labels?: Readonly<Record<string, readonly string[] | string>>;
  /** Whether only the operator in a cluster (`run`) has it. */
  readonly clusterOnly?: true;
}

/** What became of a request, the label `payment_status` of `x402_requests_total`. */
export const paymentStatuses = [
  "unmatched",
  "free",
  "conditional_free",
  "preflight",
  "blocked",
  "payment_required",
  "rate_limited",
  "payment_invalid",
  "payment_duplicate",
  "payment_redelivered",
  "verification_error",
  "upstream_failed",
  "settlement_failed",
  "settlement_unknown",
  "payment_accepted",
] as const;
export type PaymentStatus = (typeof paymentStatuses)[number];

/** What `/settle` came to; `unknown`: it was sent, and nobody knows. */
export const settlementOutcomes = ["settled", "refused", "not_sent", "unknown"] as const;

/** Whether a payment can stay in the state. */
export function isClosed(state: PaymentState): boolean {
  return !openStates.includes(state);
}
export const closedStates: readonly PaymentState[] = paymentStates.filter(isClosed);

export const facilitatorCalls = ["verify", "settle", "supported"] as const;
export type FacilitatorCallName = (typeof facilitatorCalls)[number];

/** `answered`, whatever the answer is; else why there is none to rely on, or why it was not made. */
export const callOutcomes = [
  ...["answered", "invalid", "timeout", "unreachable"] as const,
  ...["refused", "busy", "unavailable"] as const,
];

export const breakerStates = ["closed", "half_open", "open"] as const;
export type BreakerState = (typeof breakerStates)[number];

/** What is refused for want of a place; `overloaded` is the metric's name. */
export const overloadKinds = ["paid", "unpaid", "connection"] as const;

/** Resources that the operator watches. */
export const watchedResources = [
  "x402routes",
  "ingresses",
  "services",
  "endpointslices",
  "leases",
] as const;

const facilitator = "host of a facilitator that the routes name";
const network = "network of the X402Route, such as `base`";
const resource = "resource of the Kubernetes API";

/** Every metric of the program. A unit is the end of a name: seconds, bytes; else it counts things. */
export const metricCatalogue = {
  x402_build_info: {
    type: "gauge",
    help: "Which build this is; always 1",
    labels: { version: "of the program", commit: "of its source", deno: "version of Deno" },
  },
  x402_requests_total: {
    type: "counter",
    help: "Total number of requests processed by the x402 gateway",
    labels: {
      path: "pattern of the rule, or `unmatched`",
      namespace: "of the X402Route",
      route_name: "name of the X402Route",
      payment_status: paymentStatuses,
    },
  },
  x402_payment_amount_total: {
    type: "counter",
    // The one place where an amount is a float: Prometheus has no other numbers.
    help: "Total payment amounts settled, in whole tokens, as a float: not for accounting",
    labels: { path: "pattern of the rule", wallet: "that is paid", network },
  },
  x402_settlements_total: {
    type: "counter",
    help: "Settlements by what the facilitator said to them; unknown: sent, and no answer",
    labels: { network, outcome: settlementOutcomes },
  },
  x402_payments_closed_total: {
    type: "counter",
    help: "Payments put on record as over; undelivered: charged, and the reply did not arrive",
    labels: { state: closedStates },
  },
  x402_ledger_open_payments: {
    type: "gauge",
    help: "Payments on record that are not over, by state; the same in all replicas",
    labels: { state: openStates },
  },
  x402_payments_in_doubt: {
    type: "gauge",
    help: "Payments on record whose outcome is open although no request works on them",
  },
  x402_refused_requests_total: {
    type: "counter",
    help: "Requests answered with an error of the gateway itself, by its code",
    labels: { code: "`error` of the reply, see errors.md" },
  },
  x402_overloaded_requests_total: {
    type: "counter",
    help: "Requests refused unread because there was more work than could be done",
    labels: { kind: overloadKinds },
  },
  x402_payment_verification_duration_seconds: {
    type: "histogram",
    help: "Duration of payment verification calls to the facilitator",
  },
  x402_proxy_request_duration_seconds: {
    type: "histogram",
    help: "Duration of proxied requests until the head of the backend's reply",
  },
  x402_facilitator_call_duration_seconds: {
    type: "histogram",
    help: "Duration of calls to facilitators, without the wait for a turn",
    labels: { facilitator, call: facilitatorCalls },
  },
  x402_facilitator_calls_total: {
    type: "counter",
    help: "Calls to facilitators by outcome; refused, busy and unavailable were not made",
    labels: { facilitator, call: facilitatorCalls, outcome: callOutcomes },
  },
  x402_facilitator_breakers: {
    type: "gauge",
    help: "Circuit breakers by state, one for each facilitator URL and worker that calls it",
    labels: { facilitator, state: breakerStates },
  },
  x402_facilitator_calls_in_flight: {
    type: "gauge",
    help: "Calls to verify and settle that have their turn",
    labels: { facilitator },
  },
  x402_facilitator_calls_waiting: {
    type: "gauge",
    help: "Calls to verify and settle that wait for their turn",
    labels: { facilitator },
  },
  x402_requests_in_flight: {
    type: "gauge",
    help: "Requests that are worked on, until the heads of their replies",
  },
  x402_requests_in_flight_limit: {
    type: "gauge",
    help: "How many may be worked on now: less while the process is late with its work",
  },
  x402_client_connections: { type: "gauge", help: "Open connections of clients" },
  x402_upstream_connections: {
    type: "gauge",
    help: "Connections to backends, but for those of the transport fetch",
    labels: { state: ["in_use", "idle"] },
  },
  x402_upstream_requests_waiting: {
    type: "gauge",
    help: "Requests that wait for a connection to their backend",
  },
  x402_event_loop_lag_seconds: {
    type: "histogram",
    help: "How late the process was with its own work, measured ten times a second in each worker",
  },
  x402_workers: { type: "gauge", help: "Isolates that serve" },
  x402_active_routes: { type: "gauge", help: "Number of active X402Route resources" },
  x402_route_conditions: {
    type: "gauge",
    help: "Number of X402Routes by what a condition of their status says",
    labels: {
      condition: ["Accepted", "ResolvedRefs", "IngressPatched", "Ready"],
      status: ["True", "False"],
      reason: "of the condition, see x402route.md",
    },
  },
  x402_route_store_updates_total: {
    type: "counter",
    help: "Total number of route store updates",
  },
  x402_snapshot_published_timestamp_seconds: {
    type: "gauge",
    help: "When the routes in force were put in force, in seconds since 1970",
  },
  x402_snapshot_last_plan_successful: {
    type: "gauge",
    help: "0 while the routes as they are written now could not be put in force, else 1",
  },
  x402_snapshot_compile_duration_seconds: {
    type: "histogram",
    help: "Duration of planning and publishing a snapshot of the routes",
  },
  x402_snapshot_staleness_seconds: {
    type: "gauge",
    help: "Seconds for which the routes in force may have been out of date, 0 while connected",
    clusterOnly: true,
  },
  x402_leader: {
    type: "gauge",
    help: "1 while this process is the one that writes to the cluster, else 0",
    clusterOnly: true,
  },
  x402_watch_restarts_total: {
    type: "counter",
    help: "Total number of watches that ended and were opened again",
    labels: { resource: watchedResources },
    clusterOnly: true,
  },
  x402_kube_requests_total: {
    type: "counter",
    help: "Total number of requests to the Kubernetes API",
    labels: {
      verb: "of the request",
      resource,
      code: "status of the reply, 0 where there was none",
    },
    clusterOnly: true,
  },
  x402_cluster_writes_total: {
    type: "counter",
    help: "Total number of changes that the leader made in the cluster",
    labels: {
      resource,
      verb: ["create", "patch", "delete"],
      outcome: ["done", "stale", "refused", "failed"],
    },
    clusterOnly: true,
  },
  x402_ingress_reverts_total: {
    type: "counter",
    help: "Paths that somebody else had led away from the gateway and that were patched again",
    clusterOnly: true,
  },
  process_resident_memory_bytes: { type: "gauge", help: "Resident memory" },
  process_cpu_seconds_total: { type: "counter", help: "User and system CPU time" },
  process_start_time_seconds: {
    type: "gauge",
    help: "When the process was started, in seconds since 1970",
  },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof metricCatalogue;

/** The same without the literal types. */
export function definitionOf(name: MetricName): MetricDefinition {
  return metricCatalogue[name];
}
