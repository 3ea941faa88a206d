import { basename, resolve } from "node:path";
import { isManifestName } from "./manifest_folder.ts";

/** Milliseconds without a further event, after which a change counts as complete. */
const quiet = 50;

/**
 * Yields at once, and then whenever manifests may have changed: after events, once they have ceased,
 * because half a file may be a valid file that charges for less. Also every `rescan` milliseconds,
 * because changes through a symbolic link or a bind mount come without events, and all changes do
 * once there is a FIFO in the folder (Deno 2.9). What it yields tells whether a further change has
 * begun since. Ends when the signal aborts.
 */
export async function* folderChanges(
  folder: string,
  signal: AbortSignal,
  rescan = 5000,
): AsyncGenerator<() => boolean> {
  const bell = new Bell();
  const stop = () => bell.ring();
  signal.addEventListener("abort", stop);
  const watch = new FolderWatch(folder, () => bell.touch());
  // Before the first look, so that no change falls between the two.
  watch.renew();
  bell.ring();
  const timer = setInterval(() => {
    watch.renew();
    if (!bell.isWaiting) bell.ring();
  }, rescan);
  try {
    while (true) {
      await bell.rung();
      if (signal.aborted) return;
      const seen = bell.touches;
      yield () => bell.touches !== seen;
    }
  } finally {
    clearInterval(timer);
    signal.removeEventListener("abort", stop);
    watch.close();
    bell.cancel();
  }
}

/** Calls back on every event that may concern manifests. */
class FolderWatch {
  #watcher: Deno.FsWatcher | undefined;
  #watched: string | undefined;

  constructor(private readonly folder: string, private readonly onChange: () => void) {}

  /** Watches a folder that was not there yet or, one call later, one in place of another. */
  renew(): void {
    const found = identity(this.folder);
    if (found === this.#watched) return;
    // Watched again within the same turn, the folder would give no events (Deno 2.9).
    if (this.#watched !== undefined) return this.close();
    this.#watched = found;
    try {
      this.#watcher = Deno.watchFs(this.folder, { recursive: false });
      this.#forward(this.#watcher);
    } catch {
      this.#watched = undefined; // The manifest folder reports why it cannot be read.
    }
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#watched = undefined;
  }

  async #forward(watcher: Deno.FsWatcher): Promise<void> {
    for await (const { kind, paths } of watcher) {
      // One made in its place may get the same inode number.
      if (kind === "remove" && paths.some((path) => this.#isFolder(path))) this.close();
      if (paths.some((path) => this.#concernsManifests(path))) this.onChange();
    }
  }

  #isFolder(path: string): boolean {
    return resolve(path) === resolve(this.folder);
  }

  /** Other files, a log for example, may be written to all the time. */
  #concernsManifests(path: string): boolean {
    return isManifestName(basename(path)) || this.#isFolder(path) || isLink(path);
  }
}

/** Names one folder of all there ever were; undefined when there is none. */
function identity(folder: string): string | undefined {
  try {
    const { dev, ino } = Deno.statSync(folder);
    return `${dev} ${ino}`;
  } catch {
    return undefined;
  }
}

/** A ConfigMap mount changes all its files at once by replacing the link `..data`. */
function isLink(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSymlink;
  } catch {
    return false;
  }
}

/** Rings for one listener; what happens while nobody listens is not lost. */
class Bell {
  #ring = Promise.withResolvers<void>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** How often it has been touched. A timer may ring late, with the next event close behind it. */
  touches = 0;

  ring(): void {
    this.cancel();
    this.#ring.resolve();
  }

  /** Rings once it has been quiet. */
  touch(): void {
    this.touches++;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.ring(), quiet);
  }

  /** Whether it has been touched and has not rung since. */
  get isWaiting(): boolean {
    return this.#timer !== undefined;
  }

  async rung(): Promise<void> {
    await this.#ring.promise;
    this.#ring = Promise.withResolvers();
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
