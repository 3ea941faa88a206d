import type { Ledger } from "../store/ledger/ledger.ts";
import type { Logger } from "../store/log.ts";
import type { Metrics } from "../store/metrics.ts";
import type { RouteSnapshot } from "../store/route_snapshot.ts";
import { metricsHandler, probeHandler } from "./admin_server.ts";
import { DataPlane } from "./data_plane.ts";
import { FacilitatorAddresses } from "./facilitator/facilitator_addresses.ts";
import { FacilitatorClient } from "./facilitator/facilitator_client.ts";
import { type FacilitatorPolling, SupportedPoller } from "./facilitator/supported_poller.ts";
import type { GatewaySettings } from "./gateway_settings.ts";
import { PaymentUpkeep } from "./payment/payment_upkeep.ts";
import { checkUnused, type ListenAddress, serve } from "./server.ts";
import { type StartWorker, WorkerPool } from "./workers/worker_pool.ts";

export { TrustedProxies } from "./trusted_proxies.ts";
export { CredentialsError } from "./facilitator/credentials_error.ts";
export type { FacilitatorSettings } from "./facilitator/facilitator_client.ts";
export { FacilitatorCredentials } from "./facilitator/facilitator_credentials.ts";
export type { FacilitatorPolling } from "./facilitator/supported_poller.ts";
export type { GatewaySettings } from "./gateway_settings.ts";
export type { RateLimits } from "./limits/client_limits.ts";
export type { LoadSettings } from "./limits/in_flight.ts";
export type { Rate } from "./limits/token_buckets.ts";
export type { PaymentSettings } from "./payment/payment_upkeep.ts";
export { serveAsWorker } from "./workers/gateway_worker.ts";

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

/** What a gateway may be given besides its settings. */
export interface GatewayOptions {
  /** Absent: facilitators are not asked what they support. */
  readonly polling?: FacilitatorPolling;
  /** Starts an isolate that calls `serveAsWorker`; needed for more than one worker. */
  readonly startWorker?: StartWorker;
}

/** Milliseconds that a probe or a scrape in progress gets at the very end. */
const cutMs = 100;

/**
 * Starts all three servers; the gateway answers 503 until the first `publish`.
 *
 * @param ledger to be closed by the caller, after `drain`
 * @throws when an address cannot be listened on
 */
export function startGateway(
  settings: GatewaySettings,
  ledger: Ledger,
  metrics: Metrics,
  log: Logger,
  { polling, startWorker }: GatewayOptions = {},
): Gateway {
  if (settings.workers > 1) checkUnused("gateway", settings.listen);
  const addresses = new FacilitatorAddresses(settings, log);
  const facilitator = new FacilitatorClient(
    settings.facilitator,
    addresses,
    log,
    metrics.facilitators,
  );
  const poller = polling && new SupportedPoller(
    (url, signal) => facilitator.supported(url, signal),
    polling,
    log,
  );
  const upkeep = new PaymentUpkeep({ settings, facilitator, ledger, metrics, log });
  const onDoubt = upkeep.notice;
  const plane = new DataPlane({ settings, ledger, facilitator, metrics, log, onDoubt });
  const workers = startWorker &&
    new WorkerPool(settings.workers - 1, plane.address, startWorker, ledger.database, onDoubt, log);

  let drained: Promise<boolean> | undefined;
  let ending = false;
  const isReady = () => !ending && plane.isReady;
  const probes = serve("probes", settings.probeListen, probeHandler(isReady), log);
  const scrape = serve("metrics", settings.metricsListen, metricsHandler(metrics, workers), log);

  async function drain(timeoutMs: number): Promise<boolean> {
    ending = true;
    const ended = await Promise.all([plane.drain(timeoutMs), workers?.drain(timeoutMs) ?? true]);
    await upkeep.close();
    // Probes and metrics stay until the end: they are how the draining is watched.
    await Promise.all([probes.drain(cutMs), scrape.drain(cutMs)]);
    poller?.close();
    facilitator.close();
    workers?.close();
    return ended.every((clean) => clean);
  }

  return {
    addresses: { gateway: plane.address, metrics: scrape.address, probes: probes.address },
    publish(snapshot) {
      plane.publish(snapshot);
      workers?.publish(snapshot);
      poller?.follow(snapshot);
    },
    unready() {
      ending = true;
      plane.sendElsewhere();
      workers?.sendElsewhere();
    },
    drain: (timeoutMs) => drained ??= drain(timeoutMs),
  };
}
