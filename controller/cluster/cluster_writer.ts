import { LastResults } from "../../store/last_results.ts";
import { keyOf, type RawObject, type WriteProblem } from "../cluster_state.ts";
import type { ClusterWrite } from "../plan/cluster_write.ts";
import type { Plan } from "../plan/plan.ts";
import type { RouteCondition } from "../plan/route_conditions.ts";
import type { RouteStatus } from "../plan/route_status.ts";
import type { KubeClient } from "./kube_client.ts";
import { KubeError } from "./kube_error.ts";
import { type Happening, kubeEvent } from "./kube_event.ts";
import { type KubeResource, listPath } from "./kube_paths.ts";
import { Reverts, revertWindowMs } from "./reverts.ts";
import { fieldManager, sendStatus, sendWrite } from "./send_write.ts";
import { type StatusUpdate, statusUpdate } from "./status_update.ts";
import { type WriteOutcome, WriteQueue, type WriteTask } from "./write_queue.ts";
import { WrittenStatuses } from "./written_statuses.ts";

export interface WriterEvent {
  readonly type: "cluster-write";
  /** `ingresses shop/api` */
  readonly key: string;
  readonly note: string;
  readonly verb: "create" | "patch" | "delete";
  readonly outcome: WriteOutcome;
  /** In the API server's words, where it was not done. */
  readonly reason?: string;
}

export type ConditionEvent =
  /** The status of an X402Route says something new. */
  | {
    readonly type: "route-condition";
    /** `namespace/name` */
    readonly route: string;
    readonly condition: string;
    readonly status: string;
    readonly reason: string;
    readonly message: string;
  }
  /** Paths that were led to the gateway before had been put back by somebody else. */
  | { readonly type: "ingress-reverted"; readonly ingress: string; readonly paths: number }
  /** The API server has dropped fields of a status: its CRD is older than this operator. Told once. */
  | { readonly type: "crd-outdated" };

export interface WriterOptions {
  readonly client: KubeClient;
  /** Name of this replica, for Events. */
  readonly identity: string;
  /** Milliseconds that objects are kept for which nothing needs any more. */
  readonly drainRoutesMs: number;
  /** Asked before each write. */
  readonly isLeader: () => boolean;
  readonly report: (event: WriterEvent | ConditionEvent) => void;
  /** `problems` is not what it was. */
  readonly onProblems: () => void;
}

/** The objects that a plan was made of, by `namespace/name`. */
export interface Written {
  readonly routes: ReadonlyMap<string, RawObject>;
  readonly ingresses: ReadonlyMap<string, Pick<RawObject, "metadata">>;
}

/** A write, and how it is told. */
type NotedTask = WriteTask & Pick<WriterEvent, "note" | "verb">;

/** Milliseconds that "Pending" is waited for before it is worth a status of its own. */
const pendingMs = 1_000;

/** Milliseconds: a path may be free for as long as its patch is refused. */
const refusedRetryMs = 5_000;

/**
 * The one place that writes to the cluster, on the leader only; the Lease itself is written by
 * `leader_election.ts`. It decides nothing: it carries out the writes of the latest plan.
 */
export class ClusterWriter {
  /** By resource and `namespace/name`: what the API server refused, or somebody else undoes. */
  readonly problems = new Map<string, WriteProblem>();
  readonly #queue: WriteQueue<NotedTask>;
  readonly #reverts = new Reverts();
  /** Of most X402Routes nothing has changed since the plan before. */
  readonly #updates = new LastResults<RouteStatus, StatusUpdate | undefined>();
  readonly #written = new WrittenStatuses();
  #isCrdOutdated = false;
  /** Resolves when the last Event has been sent. */
  #told: Promise<unknown> = Promise.resolve();
  #review: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: WriterOptions) {
    this.#queue = new WriteQueue(
      options.isLeader,
      (...attempt) => this.#attempted(...attempt),
    );
  }

  /** @param term aborts when this replica is the leader no longer: nothing is written after that */
  carryOut(plan: Plan, written: Written, term: AbortSignal): void {
    const tasks = plan.writes.map((write) => this.#task(write, written));
    const unsettled = tasks.length > 0;
    const now = new Date();
    for (const status of plan.statuses) {
      const route = written.routes.get(keyOf(status));
      const task = route && this.#statusTask(route, status, unsettled, now);
      if (task !== undefined) tasks.push(task);
    }
    this.#forgetProblems(new Set(tasks.map(({ key }) => key)));
    this.#queue.want(tasks, term);
  }

  /** To be called when the term is over; resolves when nothing is being written any more. */
  stop(): Promise<void> {
    this.problems.clear();
    this.#written.clear();
    clearTimeout(this.#review);
    return this.#queue.clear();
  }

  #task(write: ClusterWrite, written: Written): NotedTask {
    const { resource, verb, note } = write;
    return {
      key: `${resource} ${keyOf(write)}`,
      version: verb === "create" ? "" : write.resourceVersion,
      delayMs: verb === "delete" && write.later ? this.options.drainRoutesMs : 0,
      note,
      verb,
      ...(verb !== "delete" && { refusedRetryMs }),
      send: async (term) => {
        await sendWrite(this.options.client, write, term);
        if (resource === "ingresses") this.#patched(write, written, term);
        if (verb === "patch" && write.warning !== undefined) {
          const { metadata } = written.routes.get(keyOf(write))!;
          const warning = { reason: "OriginalUnknown", note: write.warning } as const;
          this.#tell({ about: "x402routes", metadata, type: "Warning", ...warning }, term);
        }
      },
    };
  }

  #patched(write: ClusterWrite, { ingresses }: Written, term: AbortSignal): void {
    if (write.verb !== "patch") return;
    const { charged = [], note } = write;
    const key = keyOf(write);
    const now = performance.now();
    const paths = this.#reverts.patched(key, charged, now);
    if (paths > 0) this.options.report({ type: "ingress-reverted", ingress: key, paths });
    const count = this.#reverts.count(key, now);
    if (count !== undefined) {
      clearTimeout(this.#review);
      this.#review = setTimeout(this.options.onProblems, revertWindowMs);
      // Told once: neither a status nor an Event for each of hundreds of times.
      if (this.problems.get(`ingresses ${key}`)?.reason === "Reverted") return;
      this.#setProblem(`ingresses ${key}`, {
        reason: "Reverted",
        message:
          `Something puts the paths of Ingress ${key} back again and again, ${count} times ` +
          "within a minute; tell it to leave their backends alone, or use ingressRef.mode Manual.",
      });
    }
    // A repaired annotation is nobody's news.
    if (!write.operations.some(({ path }) => path.startsWith("/spec/"))) return;
    const { metadata } = ingresses.get(key)!;
    const reason = charged.length > 0 ? "PathsCharged" : "PathsRestored";
    this.#tell({ about: "ingresses", metadata, type: "Normal", reason, note }, term);
  }

  #statusTask(
    route: RawObject,
    status: RouteStatus,
    unsettled: boolean,
    now: Date,
  ): NotedTask | undefined {
    const update = this.#updates.get(status, [route], () => statusUpdate(route, status, now));
    const overwrittenMs = this.#written.delayMs(route, status);
    if (update === undefined || overwrittenMs === undefined) return undefined;
    const { metadata } = route;
    const isNew = route.status === undefined;
    const isNews = ({ type, status, reason }: RouteCondition) =>
      // The summary repeats one of the others, and so do reasons that point at them.
      type !== "Ready" && reason !== "Pending" && reason !== "NotApplied" &&
      // That a new manifest is right, its author expects.
      (status === "False" || type === "IngressPatched" || !isNew);
    const isPending = unsettled && status.conditions.some(({ reason }) => reason === "Pending");
    return {
      key: `x402routes/status ${keyOf(metadata)}`,
      version: String(metadata.resourceVersion),
      delayMs: isPending ? pendingMs : overwrittenMs,
      afterOthers: isPending,
      note: "the status is up to date",
      verb: "patch",
      send: async (term) => {
        const { client } = this.options;
        // With the version: a leader that was suspended must not write over its successor's.
        const { resourceVersion } = metadata;
        const answer = await sendStatus(client, metadata, update.status, term, resourceVersion);
        if (!this.#written.written(status, answer)) this.#crdIsOutdated();
        for (const { type, status, reason, message } of update.changed.filter(isNews)) {
          const said = { condition: type, status, reason, message };
          this.options.report({ type: "route-condition", route: keyOf(metadata), ...said });
          const severity = status === "True" ? "Normal" : "Warning";
          this.#tell(
            { about: "x402routes", metadata, type: severity, reason, note: message },
            term,
          );
        }
      },
    };
  }

  #crdIsOutdated(): void {
    if (!this.#isCrdOutdated) this.options.report({ type: "crd-outdated" });
    this.#isCrdOutdated = true;
  }

  /**
   * One after the other, so that a thousand of them do not hold up what is needed. A lost Event is
   * no loss: what it says is in the status.
   */
  #tell(happening: Happening, signal: AbortSignal): void {
    const id = crypto.randomUUID().slice(0, 13).replace("-", "");
    const body = kubeEvent(happening, this.options.identity, id, new Date());
    const path = listPath("events" satisfies KubeResource, happening.metadata.namespace);
    const send = () =>
      this.options.client.request("POST", path, { query: { fieldManager }, body, signal });
    this.#told = this.#told.then(send).catch(() => {});
  }

  #attempted(
    { key, note, verb }: NotedTask,
    outcome: WriteOutcome,
    error: Error | undefined,
    failures: number,
  ): void {
    const reason = error === undefined ? {} : { reason: error.message };
    this.options.report({ type: "cluster-write", key, note, verb, outcome, ...reason });
    // The server cannot do it either: what is too large for its store, it says so with 500.
    const isHopeless = failures > 1 && error instanceof KubeError && error.status >= 500;
    if (outcome === "refused" || isHopeless) {
      const message = `The API server refused it: ${error!.message}`;
      this.#setProblem(key, { reason: "PatchFailed", message });
    } else if (outcome === "done" && this.problems.get(key)?.reason === "PatchFailed") {
      this.problems.delete(key);
      this.options.onProblems();
    }
  }

  #setProblem(key: string, problem: WriteProblem): void {
    if (this.problems.get(key)?.message === problem.message) return;
    this.problems.set(key, problem);
    this.options.onProblems();
  }

  /** What is not wanted any more cannot fail; what is undone again and again rests for a minute. */
  #forgetProblems(wanted: ReadonlySet<string>): void {
    const now = performance.now();
    for (const [key, { reason }] of this.problems) {
      const over = reason === "PatchFailed"
        ? !wanted.has(key)
        : this.#reverts.count(key.replace("ingresses ", ""), now) === undefined;
      if (!over) continue;
      this.problems.delete(key);
      this.options.onProblems();
    }
  }
}
