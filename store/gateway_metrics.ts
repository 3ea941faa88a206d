import type { Registry } from "prom-client";
import { Readings } from "./declared_metrics.ts";

/** How much goes on in one isolate at the moment. */
export interface GatewayLoad {
  readonly inFlight: number;
  readonly inFlightLimit: number;
  readonly clientConnections: number;
  readonly upstream: UpstreamLoad;
}

/** Connections to all backends together, and requests that wait for one. */
export interface UpstreamLoad {
  readonly inUse: number;
  readonly idle: number;
  readonly waiting: number;
}

/** What is asked of the isolates that serve at each scrape; nothing is counted for it. */
export class GatewayMetrics {
  /** Absent: this isolate does not serve. */
  load: (() => GatewayLoad) | undefined;

  constructor(registry: Registry) {
    const single = (name: Parameters<typeof this.register>[1], of: (load: GatewayLoad) => number) =>
      this.register(registry, name, (load) => [[of(load)]]);
    single("x402_requests_in_flight", ({ inFlight }) => inFlight);
    single("x402_requests_in_flight_limit", ({ inFlightLimit }) => inFlightLimit);
    single("x402_client_connections", ({ clientConnections }) => clientConnections);
    single("x402_upstream_requests_waiting", ({ upstream }) => upstream.waiting);
    single("x402_workers", () => 1);
    this.register(registry, "x402_upstream_connections", ({ upstream }) => [
      ["in_use", upstream.inUse],
      ["idle", upstream.idle],
    ]);
  }

  private register(
    registry: Registry,
    name: ConstructorParameters<typeof Readings>[1],
    read: (load: GatewayLoad) => ReturnType<Readings["read"]>,
  ): void {
    new Readings(registry, name).read = () => this.load === undefined ? [] : read(this.load());
  }
}
