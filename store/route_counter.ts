import { Counter, type Registry } from "prom-client";

/** How long a scrape can still see what is not in the routes any more, ms. */
const keptMs = 10 * 60_000;

/** What one counter counts of one thing in the routes: a number for each value of the last label. */
export class RouteTally {
  readonly counts = new Map<string, number>();
  /** Since when it has not been in the routes, ms; undefined while it is. */
  goneAt: number | undefined;

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
  readonly #labelNames: readonly string[];
  readonly #tallies = new Map<string, { labels: readonly string[]; tally: RouteTally }>();

  constructor(registry: Registry, name: string, help: string, ...labelNames: string[]) {
    this.#labelNames = labelNames;
    const samples = () => this.#samples();
    new Counter({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        for (const [labels, value] of samples()) this.inc(labels, value);
      },
    });
  }

  /** @param labels the values of all labels but the last */
  tally(...labels: string[]): RouteTally {
    const key = JSON.stringify(labels);
    let entry = this.#tallies.get(key);
    if (entry === undefined) this.#tallies.set(key, entry = { labels, tally: new RouteTally() });
    return entry.tally;
  }

  /**
   * Forgets what has been gone for ten minutes.
   * @param now ms, on any clock that does not go back
   */
  forgetGone(inForce: ReadonlySet<RouteTally>, now: number): void {
    for (const [key, { tally }] of this.#tallies) {
      if (inForce.has(tally)) tally.goneAt = undefined;
      else if (now - (tally.goneAt ??= now) >= keptMs) this.#tallies.delete(key);
    }
  }

  *#samples(): Generator<[labels: Record<string, string>, value: number]> {
    for (const { labels, tally } of this.#tallies.values()) {
      for (const [last, value] of tally.counts) {
        const values = [...labels, last];
        yield [Object.fromEntries(this.#labelNames.map((name, i) => [name, values[i]!])), value];
      }
    }
  }
}
