import { setTimeout as pause } from "node:timers/promises";
import { keyOf } from "../cluster_state.ts";
import { Backoff } from "./backoff.ts";
import type { KubeClient, Query } from "./kube_client.ts";
import { KubeError } from "./kube_error.ts";
import { isOlder } from "./resource_version.ts";
import { SilenceAlarm } from "./silence_alarm.ts";
import type { KubeObject, WatchEvent } from "./watch_stream.ts";

/** Objects to a page of a list. */
const pageSize = 500;

/** Milliseconds; a watch that ended sooner and without a word was no success. */
const shortest = 1000;

/** What is to be reflected: all objects of a resource, those of one namespace, or some of them. */
export interface WatchedResource {
  /** Of the list, such as `/apis/networking.k8s.io/v1/ingresses`. */
  readonly path: string;
  readonly query?: { readonly labelSelector?: string; readonly fieldSelector?: string };
}

/** What a reflector tells its owner; `path` is that of its resource. */
export type ReflectorEvent =
  /** The list or watch failed and is tried again after `retryMs`; what is known stays. */
  | {
    readonly type: "watch-lost";
    readonly path: string;
    readonly reason: string;
    readonly retryMs: number;
  }
  | { readonly type: "watch-restored"; readonly path: string; readonly lostMs: number }
  /** `read` threw; `key` is `namespace/name`. */
  | {
    readonly type: "object-refused";
    readonly path: string;
    readonly key: string;
    readonly reason: string;
  };

export interface ReflectorOptions<T> {
  readonly client: KubeClient;
  readonly resource: WatchedResource;
  /** Makes of an object what is kept of it. */
  readonly read: (object: KubeObject) => T;
  /**
   * What is kept of an object for which `read` has thrown: its last form that could be read, if any,
   * unless this makes something of it.
   */
  unreadable?(object: KubeObject, reason: string, before: T | undefined): T;
  /**
   * Called after `objects` has changed, once for a whole list; must not throw.
   * @param isNews false for a new version of one object in which nothing is new
   */
  readonly onChange: (isNews: boolean) => void;
  /** Whether nothing is new in another version of an object; never, unless given. */
  isSame?(before: T, now: T): boolean;
  readonly report: (event: ReflectorEvent) => void;
  /**
   * Milliseconds without a word after which a watch counts as dead. The server sends a bookmark
   * about every 60 s, changes or not; 90,000 unless given.
   */
  readonly silenceMs?: number;
}

/**
 * Keeps the objects of one resource equal to the API server's: a list, then a watch from there,
 * resumed where it ended, and a new list whenever the server no longer knows what came after
 * (410 Gone: https://kubernetes.io/docs/reference/using-api/api-concepts/#410-gone-responses).
 */
export class Reflector<T> {
  /** Whether the first list is in `objects`. */
  synced = false;
  /** `performance.now()` since when changes may be missed; undefined while the watch is open. */
  lostSince: number | undefined = performance.now();
  /** How often a list or watch had to be begun anew, other than at the end of the server's time. */
  restarts = 0;
  #objects = new Map<string, T>();
  /** Of all objects, those that `read` refused as well. */
  #versions = new Map<string, string>();
  /** Where the watch goes on; undefined when a list has to come first. */
  #version: string | undefined;
  readonly #backoff = new Backoff(100, 2_000);
  readonly #firstSync = Promise.withResolvers<void>();

  constructor(private readonly options: ReflectorOptions<T>) {}

  /** By `namespace/name`; to be asked for again after a change, because a list makes a new map. */
  get objects(): ReadonlyMap<string, T> {
    return this.#objects;
  }

  /** Resolves when `synced` becomes true, never if the reflector is stopped before. */
  get whenSynced(): Promise<void> {
    return this.#firstSync.promise;
  }

  get connected(): boolean {
    return this.lostSince === undefined;
  }

  /** Reflects until the signal aborts; to be called once. Never rejects: it tries again. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const isResumed = this.#version !== undefined;
      try {
        this.#version ??= await this.#list(signal);
        await this.#watch(this.#version, signal);
      } catch (error) {
        // After an outage: the server is there, and the list need not wait as long as for it.
        if (isResumed && isGone(error)) this.#backoff.reset();
        if (!signal.aborted) await this.#retryLater(error, signal);
      }
    }
    this.lostSince ??= performance.now();
  }

  async #retryLater(error: unknown, signal: AbortSignal): Promise<void> {
    this.lostSince ??= performance.now();
    this.restarts++;
    const { retryAfterMs = 0 } = error instanceof KubeError ? error : {};
    const retryMs = Math.max(this.#backoff.next(), retryAfterMs);
    const reason = (error as Error).message;
    this.options.report({ type: "watch-lost", path: this.options.resource.path, reason, retryMs });
    await pause(retryMs, undefined, { signal }).catch(() => {});
  }

  /** Resolves with the resourceVersion of the list. */
  async #list(signal: AbortSignal): Promise<string> {
    try {
      return await this.#listPages({ limit: pageSize }, signal);
    } catch (error) {
      if (!isGone(error)) throw error;
      // The pages are of one moment, which was compacted meanwhile: all in one cannot be.
      return await this.#listPages({}, signal);
    }
  }

  async #listPages(limit: Query, signal: AbortSignal): Promise<string> {
    const { client, resource } = this.options;
    const next = { objects: new Map<string, T>(), versions: new Map<string, string>() };
    let page: KubeList | undefined;
    do {
      const more: Query = page === undefined ? {} : { continue: page.metadata.continue! };
      // Without a resourceVersion: what was written before the request is in the answer.
      const query = { ...resource.query, ...limit, ...more };
      page = await client.request<KubeList>("GET", resource.path, { query, signal });
      this.#take(page, next);
    } while (page.metadata.continue);
    this.#replace(next);
    return page.metadata.resourceVersion;
  }

  #take({ apiVersion, kind, items }: KubeList, { objects, versions }: Listed<T>): void {
    for (const item of items ?? []) {
      const key = keyOf(item.metadata);
      const version = item.metadata.resourceVersion;
      versions.set(key, version);
      if (this.#versions.get(key) !== version) {
        // The items of most lists do not say what they are; their events do.
        this.#read(key, { apiVersion, kind: kind.replace(/List$/, ""), ...item }, objects);
      } else if (this.#objects.has(key)) objects.set(key, this.#objects.get(key)!);
    }
  }

  #replace({ objects, versions }: Listed<T>): void {
    const same = this.synced && versions.size === this.#versions.size &&
      versions.entries().every(([key, version]) => this.#versions.get(key) === version);
    this.#objects = objects;
    this.#versions = versions;
    this.synced = true;
    this.#firstSync.resolve();
    if (!same) this.options.onChange(true);
  }

  async #watch(resourceVersion: string, signal: AbortSignal): Promise<void> {
    const abort = new AbortController();
    const stop = () => abort.abort();
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    let alarm: SilenceAlarm | undefined;
    try {
      const events = await this.#open(resourceVersion, abort.signal);
      const opened = performance.now();
      alarm = new SilenceAlarm(this.options.silenceMs ?? 90_000, stop);
      for await (const event of events) {
        alarm.hear();
        this.#backoff.reset();
        this.#apply(event);
      }
      if (!signal.aborted) this.#judge(alarm, performance.now() - opened);
    } catch (error) {
      if (isGone(error)) this.#version = undefined;
      throw error;
    } finally {
      alarm?.stop();
      signal.removeEventListener("abort", stop);
    }
  }

  async #open(resourceVersion: string, signal: AbortSignal): Promise<AsyncGenerator<WatchEvent>> {
    const { client, resource } = this.options;
    const events = await client.watch(resource.path, {
      ...resource.query,
      resourceVersion,
      allowWatchBookmarks: true,
      // At random, so that the watches of all replicas do not end together.
      timeoutSeconds: 240 + Math.floor(Math.random() * 60),
    }, signal);
    this.#restored();
    return events;
  }

  /** What to think of a watch that has ended without an error; `lastedMs` since it was open. */
  #judge(alarm: SilenceAlarm, lastedMs: number): void {
    const request = `WATCH ${this.options.resource.path}`;
    // A server that was set back to a backup never says a word about versions of its future.
    if (!alarm.heard) this.#version = undefined;
    if (alarm.rang) throw new KubeError(`${request}: gone silent`, 0, "Timeout");
    if (lastedMs >= shortest) this.#backoff.reset();
    else if (!alarm.heard) throw new KubeError(`${request}: ended at once`, 0, "Unreachable");
  }

  #restored(): void {
    const { lostSince } = this;
    this.lostSince = undefined;
    if (lostSince === undefined || this.restarts === 0) return;
    const lostMs = performance.now() - lostSince;
    this.options.report({ type: "watch-restored", path: this.options.resource.path, lostMs });
  }

  #apply({ type, object }: WatchEvent): void {
    const version = object.metadata.resourceVersion;
    this.#version = version;
    if (type === "BOOKMARK") return;
    const key = keyOf(object.metadata);
    const known = this.#versions.get(key);
    if (type === "DELETED") {
      if (known === undefined || isOlder(version, known)) return;
      this.#versions.delete(key);
      this.#objects.delete(key);
    } else {
      if (known !== undefined && !isOlder(known, version)) return;
      const before = this.#objects.get(key);
      this.#versions.set(key, version);
      this.#read(key, object, this.#objects);
      return this.options.onChange(!this.#isSame(before, this.#objects.get(key)));
    }
    this.options.onChange(true);
  }

  #isSame(before: T | undefined, now: T | undefined): boolean {
    return before !== undefined && now !== undefined &&
      (this.options.isSame?.(before, now) ?? false);
  }

  #read(key: string, object: KubeObject, into: Map<string, T>): void {
    // More than half of many an object, and nobody's business here.
    delete (object.metadata as { managedFields?: unknown }).managedFields;
    const { read, unreadable = (_, __, before) => before, resource: { path } } = this.options;
    try {
      into.set(key, read(object));
    } catch (error) {
      const reason = (error as Error).message;
      const kept = unreadable(object, reason, this.#objects.get(key));
      if (kept !== undefined) into.set(key, kept);
      this.options.report({ type: "object-refused", path, key, reason });
    }
  }
}

interface Listed<T> {
  readonly objects: Map<string, T>;
  readonly versions: Map<string, string>;
}

interface KubeList {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items?: readonly KubeObject[];
}

function isGone(error: unknown): boolean {
  return error instanceof KubeError && error.status === 410;
}
