import { Counter, Gauge, type Metric, type Registry } from "prom-client";
import { DurationHistogram } from "./duration_histogram.ts";
import { definitionOf, type MetricName } from "./metric_catalogue.ts";

/** prom-client's own, for what is counted seldom: it hashes the labels on every `inc()`. */
export function counter<Label extends string = never>(
  registry: Registry,
  name: MetricName,
): Counter<Label> {
  const { help, labels = {} } = definitionOf(name);
  return new Counter({
    name,
    help,
    labelNames: Object.keys(labels) as Label[],
    registers: [registry],
  });
}

export function gauge(registry: Registry, name: MetricName): Gauge {
  return new Gauge({ name, help: definitionOf(name).help, registers: [registry] });
}

export function histogram(registry: Registry, name: MetricName): DurationHistogram {
  return new DurationHistogram(registry, name, definitionOf(name).help);
}

/** One sample: the values of the labels in their order, then the number. */
export type Reading = readonly [...labels: string[], value: number];

/**
 * A metric whose numbers are asked for when it is scraped. Nothing is exposed of it where nobody says
 * anything: so what one isolate alone knows is not added to the zeros of others.
 */
export class Readings {
  read: () => Iterable<Reading> = () => [];
  readonly #labels: readonly string[];

  constructor(registry: Registry, readonly name: MetricName) {
    this.#labels = Object.keys(definitionOf(name).labels ?? {});
    // Of a metric the registry uses no more than `name` and `get`; its type names whole classes.
    registry.registerMetric(this as unknown as Metric);
  }

  /** What prom-client prints; the readings of several isolates are added up. */
  get() {
    const { name } = this;
    const { type, help } = definitionOf(name);
    const values = Array.from(this.read(), (reading) => ({
      labels: Object.fromEntries(this.#labels.map((label, i) => [label, reading[i] as string])),
      value: reading.at(-1) as number,
    }));
    return Promise.resolve({ name, help, type, aggregator: "sum", values });
  }
}
