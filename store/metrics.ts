import { Counter, Gauge, Registry } from "prom-client";
import { ClusterMetrics } from "./cluster_metrics.ts";
import { DurationHistogram } from "./duration_histogram.ts";

/** A counter for one set of labels: looked up when routes are compiled, raised by `+=` on requests. */
export interface CounterHandle {
  value: number;
}

/** What became of a request, the label `payment_status` of `x402_requests_total`. */
export const paymentStatuses = [
  "unmatched",
  "free",
  "conditional_free",
  "preflight",
  "blocked",
  "payment_required",
  "payment_invalid",
  "payment_duplicate",
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

  readonly #requests = new Handles("path", "namespace", "route_name", "payment_status");
  readonly #amounts = new Handles("path", "wallet", "network");
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

  constructor() {
    this.#requests.export(
      this.registry,
      "x402_requests_total",
      "Total number of requests processed by the x402 gateway",
    );
    this.#amounts.export(
      this.registry,
      "x402_payment_amount_total",
      // The one place where an amount is a float: Prometheus has no other numbers.
      "Total payment amounts settled, in whole tokens, as a float: not for accounting",
    );
  }

  /** Exposed from the first use on: a process without a cluster has none of them. */
  get cluster(): ClusterMetrics {
    return this.#cluster ??= new ClusterMetrics(this.registry);
  }

  requests(path: string, namespace: string, route: string, status: PaymentStatus): CounterHandle {
    return this.#requests.get(path, namespace, route, status);
  }

  amounts(path: string, wallet: string, network: string): CounterHandle {
    return this.#amounts.get(path, wallet, network);
  }
}

/**
 * Plain number cells that a prom-client counter reads when it is scraped: prom-client hashes the
 * labels on every `inc()`, which is too dear for a line that every request passes.
 */
class Handles {
  readonly #labelNames: readonly string[];
  readonly #cells = new Map<string, { labels: Record<string, string>; handle: CounterHandle }>();

  constructor(...labelNames: string[]) {
    this.#labelNames = labelNames;
  }

  get(...values: string[]): CounterHandle {
    const key = JSON.stringify(values);
    let cell = this.#cells.get(key);
    if (cell === undefined) {
      const labels = Object.fromEntries(this.#labelNames.map((name, i) => [name, values[i]!]));
      this.#cells.set(key, cell = { labels, handle: { value: 0 } });
    }
    return cell.handle;
  }

  export(registry: Registry, name: string, help: string): void {
    const cells = this.#cells;
    new Counter({
      name,
      help,
      labelNames: [...this.#labelNames],
      registers: [registry],
      collect() {
        this.reset();
        for (const { labels, handle } of cells.values()) {
          if (handle.value > 0) this.inc(labels, handle.value);
        }
      },
    });
  }
}
