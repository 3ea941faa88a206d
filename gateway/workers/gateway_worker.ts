import { ledgerOn } from "../../store/ledger/ledger.ts";
import type { LedgerSettings } from "../../store/ledger/payment_ledger.ts";
import type { Logger } from "../../store/log.ts";
import { Metrics } from "../../store/metrics.ts";
import { DataPlane } from "../data_plane.ts";
import { FacilitatorAddresses } from "../facilitator/facilitator_addresses.ts";
import { FacilitatorClient } from "../facilitator/facilitator_client.ts";
import type { GatewaySettings } from "../gateway_settings.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { RemoteDatabase } from "./remote_database.ts";
import { type SnapshotParts, SnapshotReceiver } from "./snapshot_parts.ts";

/** What a worker serves with. */
export interface WorkerSettings {
  readonly settings: GatewaySettings;
  readonly ledger: LedgerSettings;
  readonly log: Logger;
}

/** The messages of this isolate. */
interface Port {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker): void;
}

type Start = Extract<ToWorker, { kind: "start" }>;

/**
 * Serves requests for the gateway that started this isolate, which owns the ledger and the routes.
 *
 * @param configure makes the settings out of the starter's parameters
 */
export function serveAsWorker(
  configure: (parameters: unknown, worker: number) => Promise<WorkerSettings>,
): void {
  const port = globalThis as unknown as Port;
  let worker: Promise<GatewayWorker> | undefined;
  port.onmessage = ({ data }) => {
    if (data.kind === "start") {
      worker = configure(data.parameters, data.worker).then((settings) =>
        new GatewayWorker(data, settings, port)
      );
      return;
    }
    // In the order in which they came, but none before there is somebody to tell.
    worker?.then((started) => started.handle(data));
  };
}

class GatewayWorker {
  readonly #snapshots = new SnapshotReceiver();
  readonly #metrics = new Metrics();
  readonly #log: Logger;
  readonly #database: RemoteDatabase;
  readonly #facilitator: FacilitatorClient;
  readonly #startPlane: () => DataPlane;
  /** From the first snapshot on: there is no use in listening before. */
  #plane: DataPlane | undefined;

  constructor(
    { listen, dialect }: Start,
    { settings, ledger: ledgerSettings, log }: WorkerSettings,
    private readonly port: Port,
  ) {
    this.#log = log;
    const addresses = new FacilitatorAddresses(settings, log);
    this.#facilitator = new FacilitatorClient(
      settings.facilitator,
      addresses,
      log,
      this.#metrics.facilitators,
    );
    this.#database = new RemoteDatabase(
      dialect,
      (calls) => port.postMessage({ kind: "statements", calls }),
    );
    const ledger = ledgerOn(this.#database, crypto.randomUUID(), ledgerSettings);
    this.#startPlane = () =>
      new DataPlane({
        settings: { ...settings, listen },
        ledger,
        facilitator: this.#facilitator,
        metrics: this.#metrics,
        log,
        onDoubt: () => port.postMessage({ kind: "doubt" }),
      });
  }

  handle(message: Exclude<ToWorker, Start>): void {
    switch (message.kind) {
      case "snapshot":
        return this.#publish(message.parts);
      case "answers":
        return this.#database.answer(message.answers);
      case "metrics":
        return void this.#tellMetrics(message.call);
      case "elsewhere":
        return this.#plane?.sendElsewhere();
      case "drain":
        return void this.#drain(message.timeoutMs);
    }
  }

  #publish(parts: SnapshotParts): void {
    const isFirst = this.#plane === undefined;
    const plane = this.#plane ??= this.#startPlane();
    plane.publish(this.#snapshots.snapshotOf(parts));
    if (isFirst) this.#log.info("worker serves");
  }

  async #tellMetrics(call: number): Promise<void> {
    const metrics = await this.#metrics.registry.getMetricsAsJSON();
    this.port.postMessage({ kind: "metrics", call, metrics });
  }

  async #drain(timeoutMs: number): Promise<void> {
    const clean = await (this.#plane?.drain(timeoutMs) ?? true);
    this.#facilitator.close();
    this.port.postMessage({ kind: "drained", clean });
  }
}
