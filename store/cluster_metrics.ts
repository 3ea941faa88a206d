import type { Counter, Gauge, Registry } from "prom-client";
import { counter, gauge, Readings } from "./declared_metrics.ts";
import { watchedResources } from "./metric_catalogue.ts";

/** The metrics of a process that watches a cluster. */
export class ClusterMetrics {
  /**
   * Seconds since a watch was lost while the routes in force may be out of date, 0 while all are
   * connected; asked for at each scrape.
   */
  staleness: () => number = () => 0;

  /** 1 or 0. */
  readonly leader: Gauge;
  readonly watchRestarts: Counter<"resource">;
  readonly kubeRequests: Counter<"verb" | "resource" | "code">;
  readonly writes: Counter<"resource" | "verb" | "outcome">;
  readonly reverts: Counter;

  constructor(registry: Registry) {
    this.leader = gauge(registry, "x402_leader");
    new Readings(registry, "x402_snapshot_staleness_seconds").read = () => [[this.staleness()]];
    this.watchRestarts = counter<"resource">(registry, "x402_watch_restarts_total");
    // Prometheus sees no increase in a series that begins at 1.
    for (const resource of watchedResources) this.watchRestarts.inc({ resource }, 0);
    this.kubeRequests = counter(registry, "x402_kube_requests_total");
    this.writes = counter(registry, "x402_cluster_writes_total");
    this.reverts = counter(registry, "x402_ingress_reverts_total");
  }
}
