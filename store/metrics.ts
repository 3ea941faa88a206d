import { Counter, Gauge, Registry } from "prom-client";
import { ClusterMetrics } from "./cluster_metrics.ts";
import { DurationHistogram } from "./duration_histogram.ts";
import { RouteCounter, type RouteTally } from "./route_counter.ts";

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

/**
 * Every metric of the program, with the names and labels that dashboards of the original operator
 * use. The label `path` is the pattern of a rule, never the path of a request, so it stays bounded.
 */
export class Metrics {
  readonly registry = new Registry();

  readonly #requests = new RouteCounter(
    this.registry,
    "x402_requests_total",
    "Total number of requests processed by the x402 gateway",
    ...["path", "namespace", "route_name", "payment_status"],
  );
  readonly #amounts = new RouteCounter(
    this.registry,
    "x402_payment_amount_total",
    // The one place where an amount is a float: Prometheus has no other numbers.
    "Total payment amounts settled, in whole tokens, as a float: not for accounting",
    ...["path", "wallet", "network"],
  );
  #cluster: ClusterMetrics | undefined;

  readonly verificationDuration = new DurationHistogram(
    this.registry,
    "x402_payment_verification_duration_seconds",
    "Duration of payment verification calls to the facilitator",
  );
  readonly proxyDuration = new DurationHistogram(
    this.registry,
    "x402_proxy_request_duration_seconds",
    "Duration of proxied requests until the head of the backend's reply",
  );
  readonly activeRoutes = new Gauge({
    name: "x402_active_routes",
    help: "Number of active X402Route resources",
    registers: [this.registry],
  });
  readonly routeStoreUpdates = new Counter({
    name: "x402_route_store_updates_total",
    help: "Total number of route store updates",
    registers: [this.registry],
  });

  readonly overloaded = new Counter({
    name: "x402_overloaded_requests_total",
    help: "Requests refused unread because there was more work than could be done",
    labelNames: ["kind"],
    registers: [this.registry],
  });

  readonly paymentsInDoubt = new Gauge({
    name: "x402_payments_in_doubt",
    help: "Payments on record whose outcome is open although no request works on them",
    registers: [this.registry],
  });

  /** Exposed from the first use on: a process without a cluster has none of them. */
  get cluster(): ClusterMetrics {
    return this.#cluster ??= new ClusterMetrics(this.registry);
  }

  /** Of one rule, by `PaymentStatus`. */
  requests(path: string, namespace: string, route: string): RouteTally {
    return this.#requests.tally(path, namespace, route);
  }

  /** Of one rule, by network; whole tokens as a float. */
  amounts(path: string, wallet: string): RouteTally {
    return this.#amounts.tally(path, wallet);
  }

  /** Forgets what has not been in force for ten minutes; for each time that routes are put in force. */
  forgetGone(inForce: Iterable<RouteTally>, now = performance.now()): void {
    const tallies = new Set(inForce);
    this.#requests.forgetGone(tallies, now);
    this.#amounts.forgetGone(tallies, now);
  }
}
