import type { KubeAdmin } from "../cluster/kube_admin.ts";
import type { Kind, Live } from "../cluster/kube_kinds.ts";

/** All objects of a kind, kept up to date by one watch, and when they became as awaited. */
export class ClusterWatch<K extends Kind> implements AsyncDisposable {
  readonly objects = new Map<string, Live<K>>();
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;
  #failure: unknown;
  #waiting: (() => void)[] = [];

  private constructor(admin: KubeAdmin, kind: K, version: string) {
    this.#done = this.#run(admin, kind, version);
  }

  /** Resolves when the present objects are known. */
  static async start<K extends Kind>(admin: KubeAdmin, kind: K): Promise<ClusterWatch<K>> {
    const present = await admin.list(kind);
    const version = present.map(({ metadata }) => BigInt(metadata.resourceVersion))
      .reduce((a, b) => a > b ? a : b, 1n);
    const watch = new ClusterWatch(admin, kind, String(version));
    for (const object of present) watch.objects.set(keyOf(object), object);
    return watch;
  }

  /**
   * Resolves with `performance.now()` of when there were `count` objects and all of them as awaited.
   * Each object is looked at once per change.
   */
  async untilAll(
    count: number,
    holds: (object: Live<K>) => boolean,
    timeout = 60_000,
  ): Promise<number> {
    const deadline = performance.now() + timeout;
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.objects.size === count && this.objects.values().every(holds)) {
        return performance.now();
      }
      if (performance.now() > deadline) throw new Error(this.#lagging(holds));
      await this.#change(deadline - performance.now());
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#done;
  }

  async #run(admin: KubeAdmin, kind: K, version: string): Promise<void> {
    try {
      for await (const { type, object } of admin.watch(kind, {}, version, this.#abort.signal)) {
        if (type === "DELETED") this.objects.delete(keyOf(object));
        else this.objects.set(keyOf(object), object);
        this.#wake();
      }
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.#failure = error;
      this.#wake();
    }
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  #change(timeout: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeout);
      this.#waiting.push(() => (clearTimeout(timer), resolve()));
    });
  }

  #lagging(holds: (object: Live<K>) => boolean): string {
    const lagging = this.objects.values().filter((object) => !holds(object)).toArray();
    return `${lagging.length} of ${this.objects.size} objects are not as awaited, such as ` +
      JSON.stringify(lagging[0]);
  }
}

function keyOf({ metadata: { namespace, name } }: Live<Kind>): string {
  return `${namespace}/${name}`;
}
