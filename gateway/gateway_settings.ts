import type { FacilitatorHosts } from "../store/facilitator_host.ts";
import type { FacilitatorSettings } from "./facilitator/facilitator_client.ts";
import type { FrontSettings } from "./front/front_settings.ts";
import type { RateLimits } from "./limits/client_limits.ts";
import type { LoadSettings } from "./limits/in_flight.ts";
import type { PaymentSettings } from "./payment/payment_upkeep.ts";
import type { ListenAddress } from "./server.ts";
import type { PoolLimits } from "./upstream/connection_pool.ts";
import type { ProxyLimits } from "./upstream/proxy.ts";

/** How backends are connected to. */
export interface UpstreamSettings extends PoolLimits {
  readonly transport: "fetch" | "http1";
  /** For a connection, TLS included; ms. */
  readonly connectMs: number;
  /** PEM certificates trusted besides the public ones. */
  readonly caCerts: readonly string[];
}

export interface GatewaySettings extends FacilitatorHosts, PaymentSettings {
  readonly listen: ListenAddress;
  readonly metricsListen: ListenAddress;
  readonly probeListen: ListenAddress;
  /** Isolates that serve requests, this one included. */
  readonly workers: number;
  /** CIDR ranges whose `X-Forwarded-*` headers are believed. */
  readonly trustedProxies: readonly string[];
  /** Origins that the gateway answers CORS preflights for; empty: none. */
  readonly corsOrigins: readonly string[];
  readonly facilitator: FacilitatorSettings;
  readonly front: FrontSettings;
  readonly proxy: ProxyLimits;
  readonly upstream: UpstreamSettings;
  /** Of each worker, as the next. */
  readonly rates: RateLimits;
  readonly load: LoadSettings;
  readonly accessLog: boolean;
}
