import type { KubeClient } from "./kube_client.ts";
import { KubeError } from "./kube_error.ts";
import { heldBy, type Lease, type LeaseSpec, released } from "./lease_record.ts";
import { LeaderTerm } from "./leader_term.ts";
import { Reflector, type ReflectorEvent } from "./reflector.ts";
import { isOlder } from "./resource_version.ts";

/** What an election tells its owner. */
export type LeaderEvent =
  | { readonly type: "leader-started" }
  /** This replica writes no more; `reason` is for people. */
  | { readonly type: "leader-stopped"; readonly reason: string }
  /** Another replica holds the Lease now. */
  | { readonly type: "leader-seen"; readonly holder: string }
  /** The Lease could not be taken or renewed, which is tried again. */
  | { readonly type: "lease-failed"; readonly reason: string }
  | ReflectorEvent;

export interface LeaderElectionOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  /** Of the Lease; all replicas name the same. */
  readonly name: string;
  /** Of this process, and of no other, also not of one before it in the same pod. */
  readonly identity: string;
  /** Milliseconds after which others take over from a holder that is not heard of; 15,000. */
  readonly leaseMs?: number;
  /** Milliseconds after the last renewal in which this one still leads; 10,000. */
  readonly renewMs?: number;
  /** Milliseconds from one attempt or renewal to the next; 2,000. */
  readonly retryMs?: number;
  /**
   * What only the leader does. Called for each term; when the term's signal aborts it has to stop
   * and resolve: before, this replica neither releases the Lease nor begins another term.
   */
  readonly lead: (term: AbortSignal) => Promise<void>;
  readonly report: (event: LeaderEvent) => void;
}

/**
 * One leader among replicas, by a Lease, in the way of client-go: whoever holds it renews it, and
 * the others take it when it was released, or when it has not changed for as long as it says. That
 * time is counted from when the change was seen here, and a leader's own from before it asked for
 * the renewal, so no two clocks have to agree; `renewMs` is less than `leaseMs` by the drift and
 * the last writes under way that are allowed for. Of two that try, the resourceVersion lets one.
 */
export class LeaderElection {
  readonly #times: { readonly leaseMs: number; readonly renewMs: number; readonly retryMs: number };
  readonly #path: string;
  readonly #leases: Reflector<Lease>;
  /** The newest known, from the watch or from an answer to us; also when it has been deleted. */
  #lease: Lease | undefined;
  #exists = false;
  #seenAt = 0;
  #notBefore = 0;
  #term: LeaderTerm | undefined;
  #wake = () => {};

  /** @throws {RangeError} unless `leaseMs > renewMs > retryMs * 1.2 > 0` */
  constructor(private readonly options: LeaderElectionOptions) {
    const { client, namespace, name, report } = options;
    const { leaseMs = 15_000, renewMs = 10_000, retryMs = 2_000 } = options;
    if (!(leaseMs > renewMs && renewMs > retryMs * 1.2 && retryMs > 0)) {
      throw new RangeError(
        `The times of the leader election are ${leaseMs} ms lease, ${renewMs} ms renew and ` +
          `${retryMs} ms retry; each has to be longer than the next, and renew longer than 1.2 retry.`,
      );
    }
    this.#times = { leaseMs, renewMs, retryMs };
    this.#path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
    this.#leases = new Reflector<Lease>({
      client,
      resource: { path: this.#path, query: { fieldSelector: `metadata.name=${name}` } },
      read: (object) => object,
      onChange: () => this.#look(),
      report,
      // A leader is heard of every `retryMs`; if not, either it or the watch is dead.
      silenceMs: leaseMs,
    });
  }

  /** By the clock, not by a flag: a process that was suspended has not heard of its loss yet. */
  isLeader(): boolean {
    return this.#term?.isCurrent ?? false;
  }

  /** Takes part until the signal aborts, then releases the Lease if it is ours. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const wake = () => this.#wake();
    signal.addEventListener("abort", wake);
    const watching = this.#leases.run(signal);
    while (!signal.aborted) {
      const wait = this.#nextAttempt() - performance.now();
      if (this.#term?.isStopped) await this.#endOfTerm();
      else if (wait > 0) await this.#news(wait);
      else await this.#attempt();
    }
    signal.removeEventListener("abort", wake);
    await this.#release();
    await watching;
  }

  /** `performance.now()` of when to try to take or renew the Lease, as things stand. */
  #nextAttempt(): number {
    if (!this.#leases.synced) return Infinity;
    const { holderIdentity: holder, leaseDurationSeconds: seconds } = this.#lease?.spec ?? {};
    if (!holder || holder === this.options.identity) return this.#notBefore;
    const { leaseMs } = this.#times;
    const said = seconds === undefined ? leaseMs : seconds * 1000;
    // Whoever had the Lease that was deleted may not know yet that it was.
    const expiry = this.#seenAt + (this.#exists ? said : Math.min(said, leaseMs));
    return Math.max(this.#notBefore, expiry);
  }

  /** Resolves when something has changed, at the latest after `ms`. */
  #news(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === Infinity ? undefined : setTimeout(resolve, ms);
      this.#wake = () => (clearTimeout(timer), resolve());
    });
  }

  async #attempt(): Promise<void> {
    const { leaseMs, renewMs, retryMs } = this.#times;
    const asked = performance.now();
    this.#notBefore = asked + retryMs * (1 + Math.random() * 0.2);
    try {
      // Half of the time, so that after a dead connection another one can be tried.
      const spec = heldBy(this.options.identity, leaseMs, this.#lease?.spec);
      this.#see(await this.#write(spec, renewMs / 2));
    } catch (error) {
      const status = error instanceof KubeError ? error.status : 0;
      if (status === 404 || status === 409) return this.#outdated(status);
      return this.options.report({ type: "lease-failed", reason: (error as Error).message });
    }
    this.#renewed(asked + renewMs);
  }

  /** The Lease is not what it was taken for: the watch brings what it is, or has brought it. */
  #outdated(status: 404 | 409): void {
    // Deleted, or made anew by another: the watch may be too slow to tell before that one leads.
    if (status === 404 || !this.#exists) this.#term?.stop("the Lease was deleted");
    const seen = this.#seen;
    // A server that was set back to a backup has versions that are older than what it said before.
    if (seen === undefined || !this.#isOlder(seen)) return;
    this.#lease = undefined;
    this.#see(seen);
  }

  async #write(spec: LeaseSpec, timeoutMs: number): Promise<Lease> {
    const { client, namespace, name } = this.options;
    if (this.#exists) {
      const body = { ...this.#lease, spec };
      return await client.request("PUT", `${this.#path}/${name}`, { body, timeoutMs });
    }
    const apiVersion = "coordination.k8s.io/v1";
    const body = { apiVersion, kind: "Lease", metadata: { namespace, name }, spec };
    return await client.request("POST", this.#path, { body, timeoutMs });
  }

  /** As the watch has it. */
  get #seen(): Lease | undefined {
    return this.#leases.objects.get(`${this.options.namespace}/${this.options.name}`);
  }

  #isOlder({ metadata }: Lease): boolean {
    return this.#lease !== undefined &&
      isOlder(metadata.resourceVersion, this.#lease.metadata.resourceVersion);
  }

  #look(): void {
    if (this.#seen !== undefined) return this.#see(this.#seen);
    this.#exists = false;
    // Its holder makes it anew at once, before the others may.
    if (this.#term !== undefined) this.#notBefore = 0;
    this.#wake();
  }

  /** Takes note of the Lease as it is now. */
  #see(lease: Lease): void {
    const before = this.#lease;
    // The watch also brings what was before the answer to our last write, and that one again.
    if (this.#isOlder(lease)) return;
    this.#exists = true;
    if (lease.metadata.resourceVersion === before?.metadata.resourceVersion) return;
    this.#lease = lease;
    this.#seenAt = performance.now();
    const holder = lease.spec?.holderIdentity ?? "";
    if (holder !== "" && holder !== this.options.identity) {
      this.#term?.stop(`${holder} has taken the Lease`);
      // Not to sleep through its release, after an attempt in which it was faster.
      this.#notBefore = 0;
      if (holder !== before?.spec?.holderIdentity) {
        this.options.report({ type: "leader-seen", holder });
      }
    }
    this.#wake();
  }

  /** The Lease is ours; `deadline` is counted from before we asked for it. */
  #renewed(deadline: number): void {
    const holds = this.#lease?.spec?.holderIdentity === this.options.identity;
    // Suspended in between, this process finds out only now that the time is over.
    if (!holds || performance.now() >= deadline) return;
    if (this.#term === undefined) this.#start(deadline);
    else this.#term.extend(deadline);
  }

  #start(deadline: number): void {
    const { lead, report } = this.options;
    this.#term = new LeaderTerm(lead, deadline, (reason) => {
      report({ type: "leader-stopped", reason });
      this.#wake();
    });
    report({ type: "leader-started" });
  }

  async #endOfTerm(): Promise<void> {
    await this.#term?.ended;
    this.#term = undefined;
  }

  async #release(): Promise<void> {
    this.#term?.stop("shutting down");
    await this.#endOfTerm();
    if (!this.#exists || this.#lease?.spec?.holderIdentity !== this.options.identity) return;
    try {
      await this.#write(released(this.#lease.spec), this.#times.renewMs / 2);
    } catch (error) {
      this.options.report({ type: "lease-failed", reason: (error as Error).message });
    }
  }
}
