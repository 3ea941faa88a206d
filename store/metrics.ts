import { Registry } from "prom-client";
import { ClusterMetrics } from "./cluster_metrics.ts";
import { counter, gauge, histogram, Readings } from "./declared_metrics.ts";
import { FacilitatorMetrics } from "./facilitator_metrics.ts";
import { GatewayMetrics } from "./gateway_metrics.ts";
import { closedStates, overloadKinds, settlementOutcomes } from "./metric_catalogue.ts";
import { type BuildInfo, exposeProcess } from "./process_metrics.ts";
import { RouteCounter, type RouteTally, type Tally } from "./route_counter.ts";
import { SnapshotMetrics } from "./snapshot_metrics.ts";

export { type PaymentStatus, paymentStatuses } from "./metric_catalogue.ts";

/**
 * Every metric of the program, as `metric_catalogue.ts` declares them; the first six have the names
 * and labels that dashboards of the original operator use. The label `path` is the pattern of a rule,
 * never the path of a request, so it stays bounded.
 */
export class Metrics {
  readonly registry = new Registry();

  readonly #requests = new RouteCounter(this.registry, "x402_requests_total");
  readonly #amounts = new RouteCounter(this.registry, "x402_payment_amount_total");
  readonly #settlements = new RouteCounter(
    this.registry,
    "x402_settlements_total",
    settlementOutcomes,
  );
  #cluster: ClusterMetrics | undefined;

  readonly verificationDuration = histogram(
    this.registry,
    "x402_payment_verification_duration_seconds",
  );
  readonly proxyDuration = histogram(this.registry, "x402_proxy_request_duration_seconds");
  readonly eventLoopLag = histogram(this.registry, "x402_event_loop_lag_seconds");
  readonly routeStoreUpdates = counter(this.registry, "x402_route_store_updates_total");
  readonly snapshot = new SnapshotMetrics(this.registry);
  readonly facilitators = new FacilitatorMetrics(this.registry);
  readonly gateway = new GatewayMetrics(this.registry);

  /** By `overloadKinds`. */
  readonly overloaded: RouteTally = new RouteCounter(
    this.registry,
    "x402_overloaded_requests_total",
    overloadKinds,
  ).tally();
  /** By the code of the failure. */
  readonly refused: RouteTally = new RouteCounter(this.registry, "x402_refused_requests_total")
    .tally();
  /** By the state that a payment has come to rest in. */
  readonly closedPayments: RouteTally = new RouteCounter(
    this.registry,
    "x402_payments_closed_total",
    closedStates,
  ).tally();
  readonly paymentsInDoubt = gauge(this.registry, "x402_payments_in_doubt");
  /** Of the isolate that looks after the ledger: payments by open state. */
  openPayments: ReadonlyMap<string, number> = new Map();

  constructor() {
    new Readings(this.registry, "x402_ledger_open_payments").read = () => this.openPayments;
  }

  /** Exposed from the first use on: a process without a cluster has none of them. */
  get cluster(): ClusterMetrics {
    return this.#cluster ??= new ClusterMetrics(this.registry);
  }

  /** For the one isolate that speaks for the process. */
  exposeProcess(build: BuildInfo): void {
    exposeProcess(this.registry, build);
  }

  /** Of one rule, by `PaymentStatus`. */
  requests(path: string, namespace: string, route: string): RouteTally {
    return this.#requests.tally(path, namespace, route);
  }

  /** Of one rule, by network; whole tokens as a float. */
  amounts(path: string, wallet: string): RouteTally {
    return this.#amounts.tally(path, wallet);
  }

  /** Of one network, by `settlementOutcomes`. */
  settlements(network: string): RouteTally {
    return this.#settlements.tally(network);
  }

  /** Forgets what has not been in force for ten minutes; for each time that routes are put in force. */
  forgetGone(inForce: Iterable<Tally>, now = performance.now()): void {
    const tallies = new Set(inForce);
    for (const part of [this.#requests, this.#amounts, this.#settlements, this.facilitators]) {
      part.forgetGone(tallies, now);
    }
  }
}
