/** Two gateways behind a Service, replaced one by one as a Deployment does it. */
import type { TcpService } from "./tcp_service.ts";
import type { WatchedGateway } from "./watched_gateway.ts";
import { pause } from "./pause.ts";

/** Times in ms. */
export interface RolloutOptions {
  /** Starts a pod; resolves when its readiness probe succeeds. */
  readonly start: () => Promise<WatchedGateway>;
  /**
   * After SIGTERM: a Service goes on sending new connections to a pod that ends until its
   * EndpointSlice has reached every node. A pod's shutdown delay has to be longer.
   */
  readonly propagationMs: number;
}

/** The pods of a Deployment with `maxSurge: 1, maxUnavailable: 0`. */
export class Rollout implements AsyncDisposable {
  #pods: WatchedGateway[] = [];

  private constructor(
    private readonly service: TcpService,
    private readonly options: RolloutOptions,
  ) {}

  static async begin(service: TcpService, replicas: number, options: RolloutOptions) {
    const rollout = new Rollout(service, options);
    for (let n = 0; n < replicas; n++) rollout.#pods.push(await options.start());
    rollout.#point(rollout.#pods);
    return rollout;
  }

  /**
   * Replaces every pod: the new one is there and ready before the old one is asked to go.
   * @returns what was wrong with how the old ones ended, or with what they wrote
   */
  async restart(): Promise<string[]> {
    const faults: string[] = [];
    for (const old of [...this.#pods]) {
      this.#pods.push(await this.options.start());
      this.#point(this.#pods);
      const ending = old.end();
      await pause(this.options.propagationMs);
      this.#pods = this.#pods.filter((pod) => pod !== old);
      this.#point(this.#pods);
      faults.push(...await ending);
    }
    return faults;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#pods.map((pod) => pod[Symbol.asyncDispose]()));
  }

  #point(pods: readonly WatchedGateway[]): void {
    this.service.endpoints = pods.map(({ gateway }) => Number(new URL(gateway.url).port));
  }
}
