import { Counter, Gauge, type Registry } from "prom-client";
import { DurationHistogram } from "./duration_histogram.ts";

/** The metrics of a process that watches a cluster. */
export class ClusterMetrics {
  /**
   * Seconds since a watch was lost while the routes in force may be out of date, 0 while all are
   * connected; asked for at each scrape.
   */
  staleness: () => number = () => 0;

  /** 1 or 0. */
  readonly leader: Gauge;
  /** Label `resource`. */
  readonly watchRestarts: Counter<"resource">;
  /** Labels `verb`, `resource` and `code`, the status of the reply. */
  readonly kubeRequests: Counter<"verb" | "resource" | "code">;
  /** Labels `resource`, `verb` and `outcome`. */
  readonly writes: Counter<"resource" | "verb" | "outcome">;
  /** From the state of the cluster to new routes in force. */
  readonly compileDuration: DurationHistogram;

  constructor(registry: Registry) {
    const registers = [registry];
    this.leader = new Gauge({
      name: "x402_leader",
      help: "1 while this process is the one that writes to the cluster, else 0",
      registers,
    });
    const seconds = () => this.staleness();
    new Gauge({
      name: "x402_snapshot_staleness_seconds",
      help: "Seconds for which the routes in force may have been out of date, 0 while connected",
      registers,
      collect() {
        this.set(seconds());
      },
    });
    this.watchRestarts = new Counter({
      name: "x402_watch_restarts_total",
      help: "Total number of watches that ended and were opened again",
      labelNames: ["resource"],
      registers,
    });
    this.kubeRequests = new Counter({
      name: "x402_kube_requests_total",
      help: "Total number of requests to the Kubernetes API",
      labelNames: ["verb", "resource", "code"],
      registers,
    });
    this.writes = new Counter({
      name: "x402_cluster_writes_total",
      help: "Total number of changes that the leader made in the cluster",
      labelNames: ["resource", "verb", "outcome"],
      registers,
    });
    this.compileDuration = new DurationHistogram(
      registry,
      "x402_snapshot_compile_duration_seconds",
      "Duration of planning and publishing a snapshot of the routes",
    );
  }
}
