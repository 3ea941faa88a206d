/** As prom-client says them: of one isolate, a list of these. */
interface MetricSamples {
  readonly name: string;
  readonly type: string;
  readonly values: readonly Sample[];
}

interface Sample {
  readonly metricName?: string;
  readonly labels: object;
  readonly value: number;
}

/**
 * What isolates that ended have counted: without it sums would go down when one is replaced, which
 * Prometheus takes for a restart of the process. What came after their last scrape is lost. Series of
 * routes that are gone stay, because nobody tells of them any more.
 */
export class LeftCounts {
  #metrics: MetricSamples[] = [];

  /** Counters and histograms only: what was going on in it goes on no more. */
  get metrics(): object[] {
    return this.#metrics;
  }

  /** @param metrics of an isolate that ended */
  add(metrics: readonly object[]): void {
    for (const added of metrics as readonly MetricSamples[]) {
      if (added.type === "gauge") continue;
      const index = this.#metrics.findIndex(({ name }) => name === added.name);
      const left = this.#metrics[index];
      if (left === undefined) this.#metrics.push(added);
      else this.#metrics[index] = { ...added, values: sum(left.values, added.values) };
    }
  }
}

function sum(left: readonly Sample[], added: readonly Sample[]): Sample[] {
  const sums = new Map<string, Sample>();
  for (const sample of [...left, ...added]) {
    const key = JSON.stringify([sample.metricName, sample.labels]);
    const value = (sums.get(key)?.value ?? 0) + sample.value;
    sums.set(key, { ...sample, value });
  }
  return [...sums.values()];
}
