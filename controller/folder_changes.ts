/** Milliseconds without a further event, after which a change counts as complete. */
const quiet = 20;
/** Milliseconds after the first event, when a change is looked at even if there is no end of them. */
const patience = 60;

/**
 * Yields at once, and then whenever the folder may have changed: on events, a burst of them counting
 * as one, and every `rescan` milliseconds, because changes through a symbolic link or a bind mount
 * come without events. Ends when the signal aborts.
 */
export async function* folderChanges(
  folder: string,
  signal: AbortSignal,
  rescan = 5000,
): AsyncGenerator<void> {
  const bell = new Bell();
  const stop = () => bell.ring();
  signal.addEventListener("abort", stop);
  let watcher: Deno.FsWatcher | undefined;
  const look = () => {
    // The folder may not be there yet.
    watcher ??= tryWatch(folder, bell);
    bell.ring();
  };
  // Before the first look, so that no change falls between the two.
  look();
  const timer = setInterval(look, rescan);
  try {
    while (true) {
      await bell.rung();
      if (signal.aborted) return;
      yield;
    }
  } finally {
    clearInterval(timer);
    signal.removeEventListener("abort", stop);
    watcher?.close();
    bell.cancel();
  }
}

function tryWatch(folder: string, bell: Bell): Deno.FsWatcher | undefined {
  try {
    const watcher = Deno.watchFs(folder, { recursive: false });
    (async () => {
      for await (const _ of watcher) bell.touch();
    })();
    return watcher;
  } catch {
    return undefined; // The manifest folder reports why it cannot be read.
  }
}

/** Rings for one listener; what happens while nobody listens is not lost. */
class Bell {
  #ring = Promise.withResolvers<void>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #firstTouch: number | undefined;

  ring(): void {
    this.cancel();
    this.#ring.resolve();
  }

  /** Rings soon, once it has been quiet or the patience is at its end. */
  touch(): void {
    const now = performance.now();
    this.#firstTouch ??= now;
    clearTimeout(this.#timer);
    const wait = Math.min(quiet, this.#firstTouch + patience - now);
    this.#timer = setTimeout(() => this.ring(), Math.max(0, wait));
  }

  async rung(): Promise<void> {
    await this.#ring.promise;
    this.#ring = Promise.withResolvers();
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#firstTouch = undefined;
  }
}
