/** What the load generator is to do; goes to it as JSON. */
export interface LoadPlan {
  /** Of the server, on 127.0.0.1. */
  readonly port: number;
  readonly path: string;
  /** The requests go round this many hosts, `shop-0.example.com` and so on. */
  readonly hosts: number;
  /** Connections kept open, each with one request at a time. */
  readonly connections: number;
  /** The load ends at whichever of the two comes first. */
  readonly seconds: number;
  readonly maxRequests: number;
  /** Any other reply ends the load with an error. */
  readonly expectedStatus: number;
  /** Bytes that the body of every reply has to have; undefined where they may differ. */
  readonly expectedBytes?: number | undefined;
  /** Each request carries a payment of its own for this entry of the challenge's `accepts`. */
  readonly paymentFor?: Readonly<Record<string, unknown>> | undefined;
  /** The processes whose CPU is counted while the load lasts. */
  readonly pids: readonly number[];
}

/** What the load generator answers, as JSON. */
export interface LoadResult {
  readonly requests: number;
  /** From the first byte sent to the last reply. */
  readonly seconds: number;
  /** CPU seconds of the processes in the plan, without opening and closing the connections. */
  readonly serverCpuSeconds: number;
  /** CPU seconds of the generator itself: as many as `seconds` means that it was the limit. */
  readonly generatorCpuSeconds: number;
  /** Ms to the end of a reply; of a chunked one, to the first byte of its body. */
  readonly p50: number;
  readonly p99: number;
}
