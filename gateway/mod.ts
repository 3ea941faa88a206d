import type { FacilitatorHosts } from "../store/facilitator_host.ts";
import type { Logger } from "../store/log.ts";
import type { Metrics } from "../store/metrics.ts";
import type { RouteSnapshot } from "../store/route_snapshot.ts";
import type { Ledger } from "../store/ledger/ledger.ts";
import { SnapshotStore } from "../store/snapshot_store.ts";
import { metricsHandler, probeHandler } from "./admin_server.ts";
import { BackendCaller } from "./backend_caller.ts";
import { GatewayHandler } from "./handler.ts";
import { Cors } from "./payment/cors.ts";
import { FacilitatorAddresses } from "./facilitator/facilitator_addresses.ts";
import { FacilitatorClient, type FacilitatorSettings } from "./facilitator/facilitator_client.ts";
import { type FacilitatorPolling, SupportedPoller } from "./facilitator/supported_poller.ts";
import { PaymentService, type PaymentSettings } from "./payment/payment_service.ts";
import { RouteIndex } from "./routing/route_index.ts";
import { TableCompiler } from "./routing/table_compiler.ts";
import { type ListenAddress, serve } from "./server.ts";
import { TrustedProxies } from "./trusted_proxies.ts";
import { IdleTimer } from "./idle_timer.ts";

import { FrontServer } from "./front/front_server.ts";
import type { FrontSettings } from "./front/front_settings.ts";
import { FetchTransport } from "./upstream/fetch_transport.ts";
import { Http1Transport } from "./upstream/http1_transport.ts";
import type { PoolLimits } from "./upstream/connection_pool.ts";
import type { ProxyLimits } from "./upstream/proxy.ts";

export { TrustedProxies } from "./trusted_proxies.ts";
export { CredentialsError } from "./facilitator/credentials_error.ts";
export type { FacilitatorSettings } from "./facilitator/facilitator_client.ts";
export { FacilitatorCredentials } from "./facilitator/facilitator_credentials.ts";
export type { FacilitatorPolling } from "./facilitator/supported_poller.ts";
export type { PaymentSettings } from "./payment/payment_service.ts";

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
  /** CIDR ranges whose `X-Forwarded-*` headers are believed. */
  readonly trustedProxies: readonly string[];
  /** Origins that the gateway answers CORS preflights for; empty: none. */
  readonly corsOrigins: readonly string[];
  readonly facilitator: FacilitatorSettings;
  readonly front: FrontSettings;
  readonly proxy: ProxyLimits;
  readonly upstream: UpstreamSettings;
  readonly accessLog: boolean;
}

export interface Gateway {
  readonly addresses: Readonly<Record<"gateway" | "metrics" | "probes", ListenAddress>>;
  /** Puts new routes in force for all requests that arrive from now on. */
  publish(snapshot: RouteSnapshot): void;
  /** For `/readyz`; requests are still taken. */
  unready(): void;
  /**
   * Not ready from now on; ends when all replies have ended or the time is over. Only the first
   * call counts.
   * @returns whether all of them ended by themselves
   */
  drain(timeoutMs: number): Promise<boolean>;
}

/** Milliseconds that a probe or a scrape in progress gets at the very end. */
const cutMs = 100;

/**
 * Starts all three servers; the gateway answers 503 until the first `publish`.
 *
 * @param ledger to be closed by the caller, after `drain`
 * @param polling absent: facilitators are not asked what they support
 * @throws when an address cannot be listened on
 */
export function startGateway(
  settings: GatewaySettings,
  ledger: Ledger,
  metrics: Metrics,
  log: Logger,
  polling?: FacilitatorPolling,
): Gateway {
  const tables = new TableCompiler(metrics);
  const snapshots = new SnapshotStore((snapshot) => new RouteIndex(snapshot, metrics, tables));
  const trustedProxies = new TrustedProxies(settings.trustedProxies);
  const facilitator = new FacilitatorClient(
    settings.facilitator,
    new FacilitatorAddresses(settings, log),
    log,
  );
  const http1 = new Http1Transport(settings.upstream, settings.upstream);
  const transport = settings.upstream.transport === "fetch" ? new FetchTransport() : http1;
  const idleTimer = new IdleTimer();
  const duration = metrics.proxyDuration;
  const proxy = { transport, idleTimer, limits: settings.proxy, duration };
  const poller = polling && new SupportedPoller(
    (url, signal) => facilitator.supported(url, signal),
    polling,
    log,
  );
  const payments = new PaymentService({ settings, facilitator, ledger, metrics, log });
  const handler = new GatewayHandler({
    snapshots,
    payments: payments.flow,
    backends: new BackendCaller(proxy, http1, trustedProxies),
    cors: new Cors(settings.corsOrigins),
    trustedProxies,
    log,
    accessLog: settings.accessLog,
  });

  let drained: Promise<boolean> | undefined;
  let ending = false;
  const isReady = () => !ending && snapshots.current() !== undefined;
  const gateway = new FrontServer(settings.listen, settings.front, handler, log);
  const probes = serve("probes", settings.probeListen, probeHandler(isReady), log);
  const scrape = serve("metrics", settings.metricsListen, metricsHandler(metrics), log);

  async function drain(timeoutMs: number): Promise<boolean> {
    ending = true;
    const clean = await gateway.drain(timeoutMs);
    if (!clean) idleTimer.expireAll();
    await payments.close();
    // Probes and metrics stay until the end: they are how the draining is watched.
    await Promise.all([probes.drain(cutMs), scrape.drain(cutMs)]);
    poller?.close();
    for (const part of [facilitator, transport, http1, idleTimer]) part.close();
    return clean;
  }

  return {
    addresses: { gateway: gateway.address, metrics: scrape.address, probes: probes.address },
    publish(snapshot) {
      snapshots.publish(snapshot);
      poller?.follow(snapshot);
      metrics.forgetGone(tables.tallies());
    },
    unready() {
      ending = true;
      gateway.sendElsewhere();
    },
    drain: (timeoutMs) => drained ??= drain(timeoutMs),
  };
}
