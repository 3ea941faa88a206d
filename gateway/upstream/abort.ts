/** Ends a call from outside. What an `AbortSignal` does, without its cost for every request. */
export class Abort {
  #aborted: { readonly reason: unknown } | undefined;
  #onAbort: ((reason: unknown) => void) | undefined;

  /** Only the first reason counts. */
  abort(reason: unknown): void {
    if (this.#aborted !== undefined) return;
    this.#aborted = { reason };
    this.#onAbort?.(reason);
  }

  /** Who is to be told; in place of whoever was before. Told at once if it has happened. */
  set onAbort(tell: ((reason: unknown) => void) | undefined) {
    this.#onAbort = tell;
    if (this.#aborted !== undefined) tell?.(this.#aborted.reason);
  }

  get aborted(): boolean {
    return this.#aborted !== undefined;
  }

  get reason(): unknown {
    return this.#aborted?.reason;
  }
}
