import { setTimeout as pause } from "node:timers/promises";
import { heldBy, type Lease, released } from "./lease_record.ts";
import type { KubeClient } from "./kube_client.ts";
import { KubeError } from "./kube_error.ts";

export interface RestoreLeaseOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  /** Of the Lease. */
  readonly name: string;
  /** Milliseconds that it stays ours when nobody renews it, a whole number of seconds; 60,000. */
  readonly holdMs?: number;
}

/**
 * Long enough for whoever uninstalls to take the operator away after `keep`. An operator that is
 * installed again waits as long, whenever that is: by no clock of its own can it tell the Lease's age.
 */
const defaultHoldMs = 60_000;

/** Milliseconds between renewals: a Lease of which nothing is heard looks like a dead watch. */
const renewMs = 5_000;

/** In ms, where a Lease does not say for how long its holder leads: as in `LeaderElection`. */
const defaultLeaseMs = 15_000;

/** So often somebody else may be faster in a row: a leader writes every 2 s, replicas all at once. */
const maxAttempts = 20;

/**
 * The Lease of an operator that is to write no more, though it runs. It needs no new way to tell it:
 * a leader stops as soon as it sees that somebody else holds the Lease, and every replica, also one
 * that is started now, leaves it alone for as long as the Lease says that it is held.
 */
export class RestoreLease {
  readonly #path: string;
  readonly #identity = `restore_${crypto.randomUUID()}`;
  readonly #holdMs: number;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** One write after the other. */
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(private readonly options: RestoreLeaseOptions) {
    this.#path = `/apis/coordination.k8s.io/v1/namespaces/${options.namespace}/leases`;
    this.#holdMs = options.holdMs ?? defaultHoldMs;
  }

  /**
   * Takes the Lease from whoever holds it, and holds it until `keep` or `release`. Resolves when the
   * holder before cannot write any more, which is told of with the milliseconds that it takes: one
   * that has not heard of its loss stops when it is not renewed, before the duration is over that it
   * has written into the Lease, and with it the writes that are under way.
   *
   * @throws {KubeError} when the Lease cannot be written
   */
  static async take(
    options: RestoreLeaseOptions,
    onWait: (holder: string, ms: number) => void,
  ): Promise<RestoreLease> {
    const lease = new RestoreLease(options);
    const before = (await lease.#write(true))?.spec;
    // A renewal that fails is made up for by the next one, or told by `keep`.
    const renew = () => void lease.#write(false).catch(() => {});
    lease.#timer = setInterval(renew, Math.min(renewMs, lease.#holdMs / 3));
    if (before?.holderIdentity) {
      const { leaseDurationSeconds: seconds } = before;
      const ms = seconds === undefined ? defaultLeaseMs : seconds * 1000;
      onWait(before.holderIdentity, ms);
      await pause(ms);
    }
    return lease;
  }

  /**
   * Holds it for its time once more, unless somebody deletes it, and then leaves it to operators.
   *
   * @throws {Error} when it was somebody else's meanwhile, who then may have written
   */
  async keep(): Promise<void> {
    clearInterval(this.#timer);
    await this.#write(false);
  }

  /** Gives it back at once: the operator goes on. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.#write(false, true);
  }

  /** Returns the Lease as it was before. */
  #write(take: boolean, release = false): Promise<Lease | undefined> {
    const written = this.#writing.then(() => this.#attempts(take, release));
    this.#writing = written.catch(() => {});
    return written;
  }

  async #attempts(take: boolean, release: boolean): Promise<Lease | undefined> {
    for (let attempt = 1;; attempt++) {
      const lease = await this.#read();
      const holder = lease?.spec?.holderIdentity;
      if (!take && holder !== this.#identity) {
        throw new Error(`${holder || "somebody"} has taken the Lease meanwhile; run this again`);
      }
      try {
        await this.#send(lease, release);
        return lease;
      } catch (error) {
        const isLate = error instanceof KubeError && [404, 409].includes(error.status);
        if (!isLate || attempt === maxAttempts) throw error;
      }
    }
  }

  /** By a list, because that is what the operator's role allows. */
  async #read(): Promise<Lease | undefined> {
    const query = { fieldSelector: `metadata.name=${this.options.name}` };
    const { client } = this.options;
    return (await client.request<{ items?: Lease[] | null }>("GET", this.#path, { query }))
      .items?.[0];
  }

  async #send(lease: Lease | undefined, release: boolean): Promise<void> {
    const { client, namespace, name } = this.options;
    const spec = release
      ? released(lease?.spec)
      : heldBy(this.#identity, this.#holdMs, lease?.spec);
    if (lease !== undefined) {
      const body = { ...lease, spec };
      await client.request("PUT", `${this.#path}/${name}`, { body });
    } else {
      const apiVersion = "coordination.k8s.io/v1";
      const body = { apiVersion, kind: "Lease", metadata: { namespace, name }, spec };
      await client.request("POST", this.#path, { body });
    }
  }
}
