import type { MetricName } from "../../store/metric_catalogue.ts";

/** One line of a panel, or many: an expression, and how the series in it are called. */
export type Query = readonly [expr: string, legend: string];

export interface Panel {
  readonly title: string;
  /** One of Grafana's units. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** What it shows, and what to think of it. */
  readonly about?: string;
  /** `timeseries` unless given. */
  readonly type?: "stat";
  /** For a stat: the number from which on it is red. */
  readonly bad?: number;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

const window = "[$__rate_interval]";

export type Series = MetricName | `${MetricName}_bucket`;

/** A selector of the jobs that the dashboard is about. */
export function at(name: Series, ...matchers: readonly string[]): string {
  return `${name}{${['job=~"$job"', ...matchers].join(", ")}}`;
}

export function sum(by: string, name: Series, ...matchers: readonly string[]): string {
  return `sum by (${by}) (${at(name, ...matchers)})`;
}

/** Per second. */
export function rate(by: string, name: Series, ...matchers: readonly string[]): string {
  return `sum by (${by}) (rate(${at(name, ...matchers)}${window}))`;
}

/** From one point of a graph to the next. */
export function growth(by: string, name: Series): string {
  return `sum by (${by}) (increase(${at(name)}${window}))`;
}

/** In all of the time that is shown. */
export function inRange(by: string, name: Series, ...matchers: readonly string[]): string {
  return `sum by (${by}) (increase(${at(name, ...matchers)}[$__range]))`;
}

/** @param by labels that the series are told apart by, after `le` */
export function quantile(q: number, name: MetricName, by = ""): string {
  const labels = by === "" ? "le" : `le, ${by}`;
  return `histogram_quantile(${q}, ${rate(labels, `${name}_bucket`)})`;
}

export function quantiles(name: MetricName): Query[] {
  return [0.5, 0.95, 0.99].map((q) => [quantile(q, name), `p${q * 100}`]);
}
