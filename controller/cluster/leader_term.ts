/** One time as the leader: it ends when it is stopped, or when it is not extended in time. */
export class LeaderTerm {
  /** Resolves when the term is over and its work has stopped. Never rejects. */
  readonly ended: Promise<void>;
  readonly #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param work is told by the signal when to stop; when it ends by itself, the term is over
   * @param deadline `performance.now()` from when on this process must not think that it leads
   * @param onStop is called once, with a reason for people, when the signal has just aborted
   */
  constructor(
    work: (signal: AbortSignal) => Promise<void>,
    private deadline: number,
    private readonly onStop: (reason: string) => void,
  ) {
    this.#watchDeadline();
    this.ended = this.#run(work);
  }

  /** By the clock, not only by the signal: a process that was suspended has yet to see it abort. */
  get isCurrent(): boolean {
    return !this.isStopped && performance.now() < this.deadline;
  }

  get isStopped(): boolean {
    return this.#abort.signal.aborted;
  }

  extend(deadline: number): void {
    this.deadline = deadline;
  }

  stop(reason: string): void {
    if (this.isStopped) return;
    clearTimeout(this.#timer);
    this.#abort.abort();
    this.onStop(reason);
  }

  async #run(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    // The owner is to have this term in its hands before the work asks whether it leads.
    await Promise.resolve();
    try {
      await work(this.#abort.signal);
      this.stop("its work has ended");
    } catch (error) {
      this.stop(`its work failed: ${(error as Error).message}`);
    }
  }

  #watchDeadline(): void {
    this.#timer = setTimeout(() => {
      if (performance.now() < this.deadline) this.#watchDeadline();
      else this.stop("the Lease was not renewed in time");
    }, this.deadline - performance.now());
  }
}
