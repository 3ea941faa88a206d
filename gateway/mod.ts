import type { Logger } from "../store/log.ts";
import type { Metrics } from "../store/metrics.ts";
import { InMemoryReservations } from "../store/payment_reservations.ts";
import { SnapshotStore } from "../store/snapshot_store.ts";
import { metricsHandler, probeHandler } from "./admin_server.ts";
import { BackendCaller } from "./backend_caller.ts";
import { GatewayHandler } from "./handler.ts";
import { Cors } from "./payment/cors.ts";
import { FacilitatorClient, type FacilitatorTimeouts } from "./payment/facilitator.ts";
import { PaymentFlow } from "./payment/payment_flow.ts";
import { RouteIndex } from "./routing/route_index.ts";
import { type ListenAddress, serve } from "./server.ts";
import { TrustedProxies } from "./trusted_proxies.ts";
import { FetchTransport } from "./upstream/fetch_transport.ts";
import type { ProxyLimits } from "./upstream/proxy.ts";
import type { RouteSnapshot } from "../store/route_snapshot.ts";

export interface GatewaySettings {
  readonly listen: ListenAddress;
  readonly metricsListen: ListenAddress;
  readonly probeListen: ListenAddress;
  /** CIDR ranges whose `X-Forwarded-*` headers are believed. */
  readonly trustedProxies: readonly string[];
  /** Origins that the gateway answers CORS preflights for; empty: none. */
  readonly corsOrigins: readonly string[];
  readonly facilitator: FacilitatorTimeouts;
  readonly proxy: ProxyLimits;
  readonly accessLog: boolean;
}

export interface Gateway {
  readonly addresses: Readonly<Record<"gateway" | "metrics" | "probes", ListenAddress>>;
  /** Puts new routes in force for all requests that arrive from now on. */
  publish(snapshot: RouteSnapshot): void;
  /**
   * Not ready from now on; ends when all replies have ended or the time is over.
   * @returns whether all of them ended by themselves
   */
  drain(timeoutMs: number): Promise<boolean>;
}
