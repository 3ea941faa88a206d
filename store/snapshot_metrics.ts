import type { Gauge, Registry } from "prom-client";
import { gauge, histogram, type Reading, Readings } from "./declared_metrics.ts";
import type { DurationHistogram } from "./duration_histogram.ts";

/** How many X402Routes say this in their status. */
export interface ConditionCount {
  readonly condition: string;
  readonly status: string;
  readonly reason: string;
  readonly routes: number;
}

/** The metrics of the isolate that plans: what is in force, and since when. */
export class SnapshotMetrics {
  readonly activeRoutes: Gauge;
  /** From looking at a change to new routes in force. */
  readonly compileDuration: DurationHistogram;
  #conditions: readonly ConditionCount[] = [];
  #publishedAt: number | undefined;
  #successful: boolean | undefined;

  constructor(registry: Registry) {
    this.activeRoutes = gauge(registry, "x402_active_routes");
    this.compileDuration = histogram(registry, "x402_snapshot_compile_duration_seconds");
    const published = new Readings(registry, "x402_snapshot_published_timestamp_seconds");
    published.read = () => this.#publishedAt === undefined ? [] : [[this.#publishedAt]];
    const successful = new Readings(registry, "x402_snapshot_last_plan_successful");
    successful.read = () => this.#successful === undefined ? [] : [[Number(this.#successful)]];
    new Readings(registry, "x402_route_conditions").read = () => this.#readConditions();
  }

  /**
   * @param routes X402Routes of which a valid form is in force
   * @param ms that it took
   */
  published(routes: number, ms: number, conditions: readonly ConditionCount[]): void {
    this.activeRoutes.set(routes);
    this.compileDuration.observe(ms);
    this.#conditions = conditions;
    this.#publishedAt = Date.now() / 1000;
    this.#successful = true;
  }

  /** What is written now is not what is in force. */
  refused(): void {
    this.#successful = false;
  }

  *#readConditions(): Generator<Reading> {
    for (const { condition, status, reason, routes } of this.#conditions) {
      yield [condition, status, reason, routes];
    }
  }
}
