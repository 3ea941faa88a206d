/** What the load generator is to do; goes to it as JSON in its first argument. */
export interface LoadPlan {
  /** Of the server, on 127.0.0.1. */
  readonly port: number;
  readonly path: string;
  /** Connections kept open, each with one request at a time. */
  readonly connections: number;
  /** The load ends at whichever of the two comes first. */
  readonly seconds: number;
  readonly maxRequests: number;
  /** Any other reply ends the load with an error. */
  readonly expectedStatus: number;
  /** Each request carries a payment of its own for this entry of the challenge's `accepts`. */
  readonly paymentFor?: Readonly<Record<string, unknown>>;
}

/** What the load generator prints, as JSON. */
export interface LoadResult {
  readonly requests: number;
  /** From the first byte sent to the last reply. */
  readonly seconds: number;
  /** CPU seconds of the generator itself: as many as `seconds` means that it was the limit. */
  readonly generatorCpuSeconds: number;
  /** Latencies in ms. */
  readonly p50: number;
  readonly p99: number;
}
