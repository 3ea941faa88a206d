import type { Registry } from "prom-client";
import { type Reading, Readings } from "./declared_metrics.ts";
import type { MetricName } from "./metric_catalogue.ts";

/** How long a scrape can still see what is not in the routes any more, ms. */
const keptMs = 10 * 60_000;

/** What is counted of one thing in the routes. */
export interface Tally {
  /** Since when it has not been in the routes, ms; undefined while it is. */
  goneAt: number | undefined;
}

/** What one counter counts of one thing in the routes: a number for each value of the last label. */
export class RouteTally implements Tally {
  readonly counts: Map<string, number>;
  goneAt: number | undefined;

  /** @param expected values of the last label that are exposed before they are counted */
  constructor(expected: readonly string[] = []) {
    this.counts = new Map(expected.map((value) => [value, 0]));
  }

  add(lastLabel: string, amount = 1): void {
    this.counts.set(lastLabel, (this.counts.get(lastLabel) ?? 0) + amount);
  }
}

/**
 * A counter with labels of the routes, which come and go without end. Its numbers are plain, and
 * prom-client reads them when it is scraped: it hashes the labels on every `inc()`, which is too
 * dear for a line that every request passes.
 */
export class RouteCounter {
  readonly #tallies = new Map<string, { labels: readonly string[]; tally: RouteTally }>();

  /**
   * @param expected values of the last label that begin at 0: Prometheus sees no increase in a series
   * that begins at 1, and where that is about money, the first one counts
   */
  constructor(
    registry: Registry,
    name: MetricName,
    private readonly expected: readonly string[] = [],
  ) {
    new Readings(registry, name).read = () => this.#readings();
  }

  /** @param labels the values of all labels but the last */
  tally(...labels: string[]): RouteTally {
    const key = JSON.stringify(labels);
    let entry = this.#tallies.get(key);
    if (entry === undefined) {
      this.#tallies.set(key, entry = { labels, tally: new RouteTally(this.expected) });
    }
    return entry.tally;
  }

  /**
   * Forgets what has been gone for ten minutes.
   * @param now ms, on any clock that does not go back
   */
  forgetGone(inForce: ReadonlySet<Tally>, now: number): void {
    for (const [key, { tally }] of this.#tallies) {
      if (isOver(tally, inForce, now)) this.#tallies.delete(key);
    }
  }

  *#readings(): Generator<Reading> {
    for (const { labels, tally } of this.#tallies.values()) {
      for (const [last, value] of tally.counts) yield [...labels, last, value];
    }
  }
}

/** Whether it has been gone for ten minutes by now; to be asked each time that routes change. */
export function isOver(tally: Tally, inForce: ReadonlySet<Tally>, now: number): boolean {
  if (inForce.has(tally)) tally.goneAt = undefined;
  else if (now - (tally.goneAt ??= now) >= keptMs) return true;
  return false;
}
