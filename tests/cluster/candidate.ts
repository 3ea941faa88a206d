import type { KubeClient } from "../../controller/cluster/kube_client.ts";
import { LeaderElection, type LeaderEvent } from "../../controller/cluster/leader_election.ts";

/** How long a test waits for what has to come, in ms. */
const patience = 20_000;

export interface Times {
  readonly leaseMs?: number;
  readonly renewMs?: number;
  readonly retryMs?: number;
}

/** Short ones, in ms; the API knows whole seconds only, so others wait for 2,000. */
export const short = { leaseMs: 1500, renewMs: 1000, retryMs: 200 };

/** Takes part in the election of `name`; what happens to it can be awaited. */
export class Candidate implements AsyncDisposable {
  readonly events: LeaderEvent[] = [];
  readonly election: LeaderElection;
  /** Terms whose work has begun and not stopped. */
  leading = 0;
  terms = 0;
  /** What the work waits for after its term is over. */
  lastWrites: Promise<void> = Promise.resolve();
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #waiting: (() => void)[] = [];

  constructor(client: KubeClient, namespace: string, readonly identity: string, times: Times = {}) {
    this.election = new LeaderElection({
      ...times,
      client,
      namespace,
      name: "operator",
      identity,
      lead: (term) => this.#lead(term),
      report: (event) => {
        this.events.push(event);
        this.#wake();
      },
    });
    this.#done = this.election.run(this.#stop.signal);
  }

  get reported(): string {
    return this.events.map((event) => event.type).join(" ");
  }

  /** Resolves when it is so after an event or the begin of a term. */
  async until(holds: () => boolean): Promise<void> {
    const deadline = performance.now() + patience;
    while (!holds()) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`${this.identity}: not in ${patience} ms; ${this.reported}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.push(() => (clearTimeout(timer), resolve()));
      });
    }
  }

  async untilLeading(): Promise<void> {
    await this.until(() => this.leading > 0);
  }

  async untilStopped(): Promise<void> {
    await this.until(() => this.reported.includes("leader-stopped"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  async #lead(term: AbortSignal): Promise<void> {
    this.leading++;
    this.terms++;
    if (this.leading > 1) throw new Error("Two terms at once.");
    this.#wake();
    await new Promise<void>((resolve) => term.addEventListener("abort", () => resolve()));
    await this.lastWrites;
    this.leading--;
  }
}
