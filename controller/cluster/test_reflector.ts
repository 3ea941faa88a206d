import type { KubeClient } from "./kube_client.ts";
import { Reflector, type ReflectorEvent, type WatchedResource } from "./reflector.ts";
import type { KubeObject } from "./watch_stream.ts";

/** How long a test waits for what has to come, in ms. */
const patience = 15_000;

/** Runs a reflector of whole objects; what it does can be awaited. */
export class TestReflector implements AsyncDisposable {
  readonly reported: ReflectorEvent[] = [];
  /** Calls of `onChange`. */
  changes = 0;
  readonly reflector: Reflector<KubeObject>;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #wake = () => {};

  constructor(client: KubeClient, resource: WatchedResource, options: {
    readonly silenceMs?: number;
    readonly read?: (object: KubeObject) => KubeObject;
  } = {}) {
    this.reflector = new Reflector({
      read: (object) => object,
      ...options,
      client,
      resource,
      onChange: () => {
        this.changes++;
        this.#wake();
      },
      report: (event) => {
        this.reported.push(event);
        this.#wake();
      },
    });
    this.#done = this.reflector.run(this.#stop.signal);
  }

  /** `name@version` of all that is known, sorted. */
  get known(): string {
    return this.reflector.objects.values()
      .map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`)
      .toArray().sort().join(" ");
  }

  /** Resolves when it is so after a change or report. */
  async until(holds: () => boolean): Promise<void> {
    const deadline = performance.now() + patience;
    while (!holds()) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`Not in ${patience} ms; known is: ${this.known}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => (clearTimeout(timer), resolve());
      });
    }
  }

  /** Resolves once it has stopped. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }
}
