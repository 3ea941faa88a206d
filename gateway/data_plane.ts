import type { Ledger } from "../store/ledger/ledger.ts";
import type { Logger } from "../store/log.ts";
import type { Metrics } from "../store/metrics.ts";
import type { RouteSnapshot } from "../store/route_snapshot.ts";
import { SnapshotStore } from "../store/snapshot_store.ts";
import { BackendCaller } from "./backend_caller.ts";
import { failureTable } from "./failures.ts";
import type { FacilitatorClient } from "./facilitator/facilitator_client.ts";
import { FrontServer } from "./front/front_server.ts";
import type { GatewaySettings } from "./gateway_settings.ts";
import { GatewayHandler } from "./handler.ts";
import { IdleTimer } from "./idle_timer.ts";
import { ClientLimits } from "./limits/client_limits.ts";
import { LoadGuard } from "./limits/load_guard.ts";
import { Cors } from "./payment/cors.ts";
import { PaymentService } from "./payment/payment_service.ts";
import { RouteIndex } from "./routing/route_index.ts";
import { TableCompiler } from "./routing/table_compiler.ts";
import type { ListenAddress } from "./server.ts";
import { TrustedProxies } from "./trusted_proxies.ts";
import { FetchTransport } from "./upstream/fetch_transport.ts";
import { Http1Transport } from "./upstream/http1_transport.ts";

export interface DataPlaneDeps {
  readonly settings: GatewaySettings;
  readonly ledger: Ledger;
  readonly facilitator: FacilitatorClient;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Told when a settlement is in doubt. */
  readonly onDoubt: () => void;
}

/** What serves requests, in one isolate. Several of them may listen on one port. */
export class DataPlane {
  readonly #tables: TableCompiler;
  readonly #snapshots: SnapshotStore<RouteIndex>;
  readonly #payments: PaymentService;
  readonly #front: FrontServer;
  readonly #idleTimer = new IdleTimer();
  readonly #load: LoadGuard;
  readonly #closing: { close(): void }[];

  /**
   * Answers 503 until the first `publish`.
   * @throws {Error} when the address cannot be listened on
   */
  constructor(private readonly deps: DataPlaneDeps) {
    const { settings, metrics, log } = deps;
    const tables = this.#tables = new TableCompiler(metrics);
    this.#snapshots = new SnapshotStore((snapshot) => new RouteIndex(snapshot, metrics, tables));
    const trustedProxies = new TrustedProxies(settings.trustedProxies);
    const http1 = new Http1Transport(settings.upstream, settings.upstream);
    const transport = settings.upstream.transport === "fetch" ? new FetchTransport() : http1;
    this.#closing = [transport, http1, this.#idleTimer];
    const proxy = {
      transport,
      idleTimer: this.#idleTimer,
      limits: settings.proxy,
      duration: metrics.proxyDuration,
    };
    this.#payments = new PaymentService(deps);
    this.#load = new LoadGuard(settings.load, metrics, log);
    const handler = new GatewayHandler({
      snapshots: this.#snapshots,
      payments: this.#payments.flow,
      backends: new BackendCaller(proxy, http1, trustedProxies),
      cors: new Cors(settings.corsOrigins),
      trustedProxies,
      limits: new ClientLimits(settings.rates, trustedProxies, log),
      load: this.#load,
      refused: metrics.refused,
      log,
      accessLog: settings.accessLog,
    });
    this.#front = new FrontServer(
      settings.listen,
      settings.front,
      handler,
      log,
      settings.workers > 1,
    );
    for (const code of Object.keys(failureTable)) metrics.refused.add(code, 0);
    metrics.gateway.load = () => ({
      inFlight: this.#load.places.count,
      inFlightLimit: this.#load.places.limit,
      clientConnections: this.#front.connections,
      upstream: http1.load,
    });
  }

  get address(): ListenAddress {
    return this.#front.address;
  }

  get isReady(): boolean {
    return this.#snapshots.current() !== undefined;
  }

  /** Puts new routes in force for all requests that arrive from now on. */
  publish(snapshot: RouteSnapshot): void {
    this.#snapshots.publish(snapshot);
    this.deps.metrics.forgetGone(this.#tables.tallies());
  }

  /** Closes each connection after its next reply, so that its client goes elsewhere. */
  sendElsewhere(): void {
    this.#front.sendElsewhere();
  }

  /**
   * Takes no more and ends when all replies have ended or the time is over.
   * @returns whether all of them ended by themselves
   */
  async drain(timeoutMs: number): Promise<boolean> {
    const clean = await this.#front.drain(timeoutMs);
    if (!clean) this.#idleTimer.expireAll();
    await Promise.all([this.#payments.close(), this.#load.close()]);
    for (const part of this.#closing) part.close();
    return clean;
  }
}
