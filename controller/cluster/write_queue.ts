import { Backoff } from "./backoff.ts";
import { KubeError } from "./kube_error.ts";

/** One write that is wanted until it is no longer asked for. */
export interface WriteTask {
  /** Of one object only one write is in progress at a time. */
  readonly key: string;
  /** Version of the object that the write was decided on. */
  readonly version: string;
  /** Milliseconds that it has to be wanted for before it is carried out. */
  readonly delayMs: number;
  /** Whether that time begins anew with every other write that is done: it says what is missing. */
  readonly afterOthers?: boolean;
  /** Milliseconds after which it is tried again at the latest when it was refused; 30,000 if absent. */
  readonly refusedRetryMs?: number;
  send(signal: AbortSignal): Promise<void>;
}

/** What became of one attempt; all but `done` are tried again for as long as they are wanted. */
export type WriteOutcome =
  | "done"
  /** The object has changed meanwhile, or is gone: what is wanted now will be known soon. */
  | "stale"
  /** The API server does not want it (403, 422, ...). */
  | "refused"
  /** No answer, or one that says "later". */
  | "failed";

interface Entry<Task extends WriteTask> {
  task: Task;
  /** `performance.now()` of when it was wanted first. */
  readonly since: number;
  readonly backoff: Backoff;
  /** Attempts one after the other that came to nothing. */
  failures: number;
  running: boolean;
  /** Becomes false only while it is running. */
  wanted: boolean;
  notBefore: number;
  /** The version that has been dealt with, whether or not the watch has shown it yet. */
  settled?: { readonly version: string; readonly until: number };
}

/** Requests in progress at a time: more only queue up at the API server's door. */
const concurrency = 16;

/** Milliseconds that a write waits for others at most. */
const patienceMs = 30_000;

/** Milliseconds that a write is not repeated for while the watch does not show its outcome. */
const settleMs = 2_000;

/**
 * Carries out what is wanted at the moment. Every call of `want` replaces what was wanted before, so
 * nothing is ever written that the latest plan does not ask for. What fails is tried again, later
 * and later; a new version of the object is tried at once.
 */
export class WriteQueue<Task extends WriteTask> {
  readonly #entries = new Map<string, Entry<Task>>();
  #ready: Entry<Task>[] = [];
  #running = 0;
  /** `performance.now()` of the last success of a write that does not wait for the others. */
  #lastDone = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #term: AbortSignal | undefined;
  #idle = () => {};

  /**
   * @param mayWrite asked before each write: a process that was suspended has not heard yet that its
   * term is over
   * @param report is told of each attempt, also of one that is wanted no longer; `failures` are those
   * one after the other
   */
  constructor(
    private readonly mayWrite: () => boolean,
    private readonly report: (
      task: Task,
      outcome: WriteOutcome,
      error: Error | undefined,
      failures: number,
    ) => void,
  ) {}

  /** @param term nothing is sent after it has aborted, and what is being sent is cut off */
  want(tasks: readonly Task[], term: AbortSignal): void {
    this.#term = term;
    const now = performance.now();
    this.#drop(new Set(tasks.map(({ key }) => key)));
    for (const task of tasks) {
      const known = this.#entries.get(task.key);
      if (known === undefined) {
        const backoff = new Backoff(250, 30_000);
        this.#entries.set(task.key, {
          task,
          since: now,
          backoff,
          failures: 0,
          running: false,
          wanted: true,
          notBefore: 0,
        });
      } else {
        if (known.task.version !== task.version) known.notBefore = 0;
        known.task = task;
      }
    }
    this.#schedule();
  }

  /** Wants nothing any more; resolves when nothing is being sent any more. */
  clear(): Promise<void> {
    this.#drop(new Set());
    this.#ready = [];
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle = resolve);
  }

  /** What is in progress stays known, so that it is not begun a second time. */
  #drop(kept: ReadonlySet<string>): void {
    for (const [key, entry] of this.#entries) {
      if (kept.has(key)) entry.wanted = true;
      else if (entry.running) entry.wanted = false;
      else this.#entries.delete(key);
    }
  }

  /** Starts what is due, and sets the timer for what is not. */
  #schedule(): void {
    const now = performance.now();
    let next = Infinity;
    this.#ready = [];
    for (const entry of this.#entries.values()) {
      if (entry.running) continue;
      const due = dueTime(entry, this.#lastDone);
      if (due <= now) this.#ready.push(entry);
      else next = Math.min(next, due);
    }
    this.#ready.reverse();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (next < Infinity) this.#timer = setTimeout(() => this.#schedule(), Math.ceil(next - now));
    this.#pump();
  }

  #pump(): void {
    while (this.#running < concurrency && this.#ready.length > 0) {
      if (this.#term!.aborted || !this.mayWrite()) return void this.clear();
      void this.#run(this.#ready.pop()!);
    }
  }

  async #run(entry: Entry<Task>): Promise<void> {
    const { task } = entry;
    const term = this.#term!;
    entry.running = true;
    this.#running++;
    let error: unknown;
    try {
      await task.send(term);
    } catch (thrown) {
      error = thrown;
    }
    this.#running--;
    entry.running = false;
    if (!entry.wanted) this.#entries.delete(task.key);
    if (!term.aborted) this.#settle(entry, task, error);
    if (this.#ready.length > 0) this.#pump();
    else this.#schedule();
    if (this.#running === 0) this.#idle();
  }

  #settle(entry: Entry<Task>, task: Task, error: unknown): void {
    const outcome = outcomeOf(error);
    const now = performance.now();
    if (outcome === "done" && !task.afterOthers) this.#lastDone = now;
    if (outcome === "done" || outcome === "stale") {
      entry.backoff.reset();
      entry.failures = 0;
      entry.settled = { version: task.version, until: now + settleMs };
    } else {
      const { retryAfterMs = 0 } = error as Partial<KubeError>;
      const longest = outcome === "refused" ? task.refusedRetryMs ?? Infinity : Infinity;
      entry.failures++;
      entry.notBefore = now + Math.max(Math.min(entry.backoff.next(), longest), retryAfterMs);
    }
    this.report(task, outcome, error as Error | undefined, entry.failures);
  }
}

/** `performance.now()` of when it may be sent. */
function dueTime({ task, since, notBefore, settled }: Entry<WriteTask>, lastDone: number): number {
  const wait = settled?.version === task.version ? settled.until : 0;
  const begin = task.afterOthers ? Math.min(Math.max(since, lastDone), since + patienceMs) : since;
  return Math.max(begin + task.delayMs, notBefore, wait);
}

function outcomeOf(error: unknown): WriteOutcome {
  if (error === undefined) return "done";
  const { status } = error instanceof KubeError ? error : { status: 0 };
  // A create whose object is there (409) has what it wanted.
  if (status === 409 || status === 404 || status === 410) return "stale";
  return status === 0 || status === 429 || status >= 500 ? "failed" : "refused";
}
