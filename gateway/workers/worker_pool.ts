import type { SqlDatabase } from "../../store/ledger/sql_database.ts";
import type { Logger } from "../../store/log.ts";
import type { RouteSnapshot } from "../../store/route_snapshot.ts";
import type { ListenAddress } from "../server.ts";
import { DatabaseOwner } from "./database_owner.ts";
import { LeftCounts } from "./left_counts.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { type SnapshotParts, SnapshotSender } from "./snapshot_parts.ts";

/** Starts an isolate that calls `serveAsWorker`, and what it needs to know to make its settings. */
export interface StartWorker {
  readonly start: () => Worker;
  /** Anything that can be cloned. */
  readonly parameters: unknown;
}

/** ms until a worker that failed is started again. */
const restartMs = 1_000;
/** File descriptors that an isolate takes at its start, with some to spare. */
const descriptorsNeeded = 16;
/** ms that a worker may take to say its metrics: one that is stuck must not hold up the scrape. */
const metricsMs = 2_000;
/** ms that a worker gets to say that it has drained, after its time was over. */
const drainGraceMs = 2_000;

/** The other isolates that serve on the gateway's port. This one owns the ledger and the routes. */
export class WorkerPool {
  readonly #members: Member[] = [];
  /** Counted by those that failed. */
  readonly #left = new LeftCounts();
  #snapshot: RouteSnapshot | undefined;
  #closed = false;

  constructor(
    count: number,
    private readonly listen: ListenAddress,
    private readonly starter: StartWorker,
    private readonly database: SqlDatabase,
    private readonly onDoubt: () => void,
    private readonly log: Logger,
  ) {
    for (let i = 0; i < count; i++) this.#start(i);
  }

  publish(snapshot: RouteSnapshot): void {
    this.#snapshot = snapshot;
    for (const member of this.#members) member.publish(snapshot);
  }

  sendElsewhere(): void {
    for (const member of this.#members) member.post({ kind: "elsewhere" });
  }

  /** @returns whether all replies ended by themselves */
  async drain(timeoutMs: number): Promise<boolean> {
    this.#closed = true;
    const ended = await Promise.all(this.#members.map((member) => member.drain(timeoutMs)));
    return ended.every((clean) => clean);
  }

  /** What the workers have counted, those that failed as well; each a list of prom-client's metrics. */
  async metrics(): Promise<object[][]> {
    const theirs = await Promise.all(this.#members.map((member) => member.metrics()));
    return [...theirs, this.#left.metrics];
  }

  close(): void {
    this.#closed = true;
    for (const member of this.#members) member.end();
  }

  #startLater(index: number): void {
    setTimeout(() => {
      if (this.#closed) return;
      if (hasDescriptors()) this.#start(index);
      else this.#startLater(index);
    }, restartMs);
  }

  #start(index: number): void {
    const member = new Member(this.starter.start(), this.database, this.onDoubt, (error) => {
      // What it was doing is lost, as in the crash of a replica; the ledger says what is open.
      this.log.error("a worker failed", { worker: index + 1, error, restarts: !this.#closed });
      this.#left.add(member.end());
      this.#startLater(index);
    });
    this.#members[index] = member;
    const { dialect } = this.database;
    const { parameters } = this.starter;
    const worker = index + 1;
    member.post({ kind: "start", worker, parameters, listen: this.listen, dialect });
    if (this.#snapshot !== undefined) member.publish(this.#snapshot);
  }
}

/**
 * Whether there are file descriptors for another isolate. Starting one without them ends the whole
 * process: the runtime panics (Deno 2.9.6), and a flood of connections may be why a worker failed.
 */
function hasDescriptors(): boolean {
  const tries: Deno.Listener[] = [];
  try {
    while (tries.length < descriptorsNeeded) {
      tries.push(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
    }
    return true;
  } catch {
    return false;
  } finally {
    for (const listener of tries) listener.close();
  }
}

/** One worker, as its owner sees it. */
class Member {
  readonly #owner: DatabaseOwner;
  readonly #sender = new SnapshotSender();
  readonly #scrapes = new Map<number, (metrics: object[]) => void>();
  /** What it has counted, as it said last. */
  #lastMetrics: object[] = [];
  #ended = false;
  #drained: ((clean: boolean) => void) | undefined;
  #nextScrape = 0;

  constructor(
    private readonly worker: Worker,
    database: SqlDatabase,
    onDoubt: () => void,
    onFailure: (error: string) => void,
  ) {
    this.#owner = new DatabaseOwner(database, (answers) => this.post({ kind: "answers", answers }));
    worker.onerror = (event) => {
      event.preventDefault();
      onFailure(event.message);
    };
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.kind === "statements") this.#owner.carryOut(data.calls);
      else if (data.kind === "doubt") onDoubt();
      else if (data.kind === "drained") this.#drained?.(data.clean);
      else this.#scrapes.get(data.call)?.(data.metrics);
    };
  }

  post(message: ToWorker): void {
    this.worker.postMessage(message);
  }

  publish(snapshot: RouteSnapshot): void {
    const parts: SnapshotParts = this.#sender.partsOf(snapshot);
    this.post({ kind: "snapshot", parts });
  }

  async metrics(): Promise<object[]> {
    if (this.#ended) return [];
    const call = this.#nextScrape++;
    const { promise, resolve } = Promise.withResolvers<object[]>();
    this.#scrapes.set(call, resolve);
    // Better old numbers than none: a sum without them would go down, as if the process began anew.
    const timer = setTimeout(() => resolve(this.#lastMetrics), metricsMs);
    this.post({ kind: "metrics", call });
    const metrics = await promise;
    clearTimeout(timer);
    this.#scrapes.delete(call);
    // Whoever has ended it has its counts.
    return this.#ended ? [] : this.#lastMetrics = metrics;
  }

  async drain(timeoutMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#drained = resolve;
    const timer = setTimeout(() => resolve(false), timeoutMs + drainGraceMs);
    this.post({ kind: "drain", timeoutMs });
    const clean = await promise;
    clearTimeout(timer);
    return clean;
  }

  /** @returns what it has counted, which counts no more as its own */
  end(): object[] {
    this.#ended = true;
    for (const resolve of this.#scrapes.values()) resolve([]);
    this.#drained?.(false);
    this.worker.terminate();
    return this.#lastMetrics;
  }
}
