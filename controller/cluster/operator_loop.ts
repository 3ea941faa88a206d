import type { FacilitatorSupport } from "../../store/facilitator_support.ts";
import type { RouteSnapshot } from "../../store/route_snapshot.ts";
import { keyOf } from "../cluster_state.ts";
import { DrainingRoutes } from "../draining_routes.ts";
import { type PublishedEvent, publishedEvent } from "../published_event.ts";
import { LatelyLed } from "../lately_led.ts";
import { noMemory, type Plan, plan, type PlanMemory } from "../plan/plan.ts";
import type { ClusterPlanOptions } from "../plan/plan_options.ts";
import { ClusterSource } from "./cluster_source.ts";
import { ClusterWriter, type ConditionEvent, type WriterEvent } from "./cluster_writer.ts";
import type { KubeClient } from "./kube_client.ts";
import { LeaderElection, type LeaderEvent } from "./leader_election.ts";
import type { ReflectorEvent } from "./reflector.ts";

export interface OperatorSettings {
  readonly plan: ClusterPlanOptions;
  /** Empty: all namespaces. */
  readonly watchNamespaces: readonly string[];
  /** Milliseconds that paths and objects outlive what they were for. */
  readonly drainRoutesMs: number;
  /** Of this process, and of no other. */
  readonly identity: string;
  /** Absent: this replica is alone and writes without asking. Times in ms. */
  readonly election?: {
    readonly namespace: string;
    readonly leaseName: string;
    readonly leaseMs: number;
    readonly renewMs: number;
    readonly retryMs: number;
  };
}

/** What the operator tells its owner; it logs nothing itself. */
export type OperatorEvent =
  | ReflectorEvent
  | LeaderEvent
  | WriterEvent
  | ConditionEvent
  | PublishedEvent
  /** A fault of the program; what is in force stays. */
  | { readonly type: "publish-failed"; readonly reason: string };

export interface Operator {
  readonly client: KubeClient;
  readonly settings: OperatorSettings;
  readonly facilitators: FacilitatorSupport;
  /** Puts a snapshot in force. When it throws, the one before is taken to be still in force. */
  readonly publish: (snapshot: RouteSnapshot) => void;
  readonly report: (event: OperatorEvent) => void;
  /** Another replica is to lead from when it aborts. */
  readonly terminating: AbortSignal;
  /** Ends it all. */
  readonly signal: AbortSignal;
}

/**
 * Milliseconds that a change waits for others, so that a burst of them is one new snapshot. Between
 * two plans there is as much time as the first took, up to the longer wait: requests need some too.
 */
const coalesceMs = { min: 5, max: 20 };

/** Milliseconds until a status that has changed is looked at, unless something else is sooner. */
const laterMs = 1_000;

/**
 * Cluster mode: keeps the snapshot in force equal to what the cluster says, and on the leader the
 * cluster equal to what follows from it, until the signal aborts. Nothing is published before every
 * list has been read; while the API server is away, the last snapshot stays.
 */
export class OperatorLoop {
  readonly #source: ClusterSource;
  readonly #writer: ClusterWriter;
  readonly #draining: DrainingRoutes;
  readonly #led: LatelyLed;
  readonly #election: LeaderElection | undefined;
  #memory: PlanMemory = noMemory;
  /** Of this replica as the leader. */
  #term: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #laterTimer: ReturnType<typeof setTimeout> | undefined;
  /** `performance.now()` until when there is to be no other plan. */
  #restUntil = 0;
  #drainTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly operator: Operator) {
    const { client, settings, report } = operator;
    this.#draining = new DrainingRoutes(settings.drainRoutesMs);
    this.#led = new LatelyLed(settings.drainRoutesMs);
    this.#source = new ClusterSource({
      client,
      namespaces: settings.watchNamespaces,
      own: settings.plan.gateway.own,
      onChange: (isNews) => isNews ? this.#changed() : this.#changedLater(),
      report,
    });
    const { election } = settings;
    this.#election = election && new LeaderElection({
      ...election,
      client,
      name: election.leaseName,
      identity: settings.identity,
      lead: (term) => this.#lead(term),
      report,
    });
    this.#writer = new ClusterWriter({
      client,
      identity: settings.identity,
      drainRoutesMs: settings.drainRoutesMs,
      isLeader: () => this.#election?.isLeader() ?? true,
      report,
      onProblems: () => this.#changed(),
    });
  }

  /** Seconds for which the snapshot may be out of date; 0 while all watches are open. */
  get stalenessSeconds(): number {
    return this.#source.stalenessSeconds;
  }

  /** Never rejects. */
  async run(): Promise<void> {
    const { facilitators, signal, terminating } = this.operator;
    const writing = AbortSignal.any([signal, terminating]);
    facilitators.onChange(() => this.#changed(), signal);
    await Promise.all([
      this.#source.run(signal),
      this.#election?.run(writing) ?? this.#lead(writing),
    ]);
    for (const timer of [this.#timer, this.#laterTimer, this.#drainTimer]) clearTimeout(timer);
  }

  /** Writes what the plan asks for, from now until the term is over. */
  async #lead(term: AbortSignal): Promise<void> {
    this.#term = term;
    this.#changed();
    await new Promise<void>((resolve) => {
      if (term.aborted) resolve();
      else term.addEventListener("abort", () => resolve());
    });
    this.#term = undefined;
    await this.#writer.stop();
  }

  #changed(): void {
    if (this.#timer !== undefined || this.operator.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#source.synced) this.#reconcile();
    }, Math.min(Math.max(this.#restUntil - performance.now(), coalesceMs.min), coalesceMs.max));
  }

  /** For what changes nothing, but has to be seen some time: a status that somebody else wrote. */
  #changedLater(): void {
    this.#laterTimer ??= setTimeout(() => this.#changed(), laterMs);
  }

  #reconcile(): void {
    clearTimeout(this.#laterTimer);
    this.#laterTimer = undefined;
    const { settings, facilitators, publish, report } = this.operator;
    const started = performance.now();
    try {
      const state = {
        ...this.#source.state(),
        ledLately: this.#led.at(started),
        writeProblems: this.#writer.problems,
        facilitatorSupport: facilitators.known,
      };
      const planned = plan(state, settings.plan, this.#memory);
      publish(this.#draining.add(planned.snapshot, started));
      this.#memory = planned;
      this.#led.see(ingressesLed(planned), started);
      const ended = performance.now();
      this.#restUntil = ended + (ended - started);
      report(publishedEvent(planned, ended - started));
      if (this.#term !== undefined) {
        const byKey = <T extends { metadata: { namespace: string; name: string } }>(
          objects: readonly T[],
        ) => new Map(objects.map((object) => [keyOf(object.metadata), object]));
        const written = { routes: byKey(state.routes), ingresses: byKey(state.ingresses) };
        this.#writer.carryOut(planned, written, this.#term);
      }
    } catch (error) {
      // A fault of ours must not end the loop: what is in force goes on, and the next change may work.
      report({ type: "publish-failed", reason: String((error as Error).stack ?? error) });
    }
    this.#planEndOfDraining();
  }

  #planEndOfDraining(): void {
    clearTimeout(this.#drainTimer);
    const nextEnd = Math.min(this.#draining.nextEnd ?? Infinity, this.#led.nextEnd ?? Infinity);
    if (nextEnd === Infinity) return;
    this.#drainTimer = setTimeout(
      () => this.#changed(),
      Math.max(0, Math.ceil(nextEnd - performance.now())),
    );
  }
}

/** The Ingresses (`namespace/name`) of which a path leads, or is about to lead, to the gateway. */
function ingressesLed({ originals }: Plan): ReadonlySet<string> {
  return new Set([...originals].filter(([, slots]) => slots.size > 0).map(([key]) => key));
}
