/** An ingress controller for tests: nginx, told by the API server what to do. */
import { join } from "node:path";
import { freePorts } from "./free_port.ts";
import { type ExternalNames, ingressLocations, type IngressObjects } from "./ingress_locations.ts";
import type { KubeAdmin } from "./kube_admin.ts";
import { getNginx } from "./nginx_assets.ts";
import { nginxConfig } from "./nginx_config.ts";
import { NginxProcess } from "./nginx_process.ts";

/** How long changes are collected before a reload, in ms. */
const holdOff = 50;

/** How long after a failed list or watch it is tried again, in ms. */
const retryAfter = 100;

/** A reload; times are those of `performance.now()`, in ms. */
export interface Reload {
  /** When the first of the changes was seen that led to it. */
  readonly changedAt: number;
  /** From when on new connections are served by the new configuration only. */
  readonly liveAt: number;
}

const kinds = { ingresses: "Ingress", services: "Service", slices: "EndpointSlice" } as const;

/**
 * nginx in front of the Services of a cluster. It serves, at `url`, what the Ingresses of all
 * namespaces say, and reloads after they, Services or EndpointSlices have changed.
 */
export class IngressProxy implements AsyncDisposable {
  /** Of the plain HTTP port; which Ingress a request is for depends on its `host` header. */
  readonly url: string;
  readonly reloads: Reload[] = [];
  readonly #port = freePorts(1)[0]!;
  /** A connection per request: one that is kept would be to a worker that a reload has ended. */
  readonly #client = Deno.createHttpClient({ allowHost: true, poolMaxIdlePerHost: 0 });
  readonly #stopped = new AbortController();
  readonly #objects: { -readonly [field in keyof IngressObjects]?: IngressObjects[field] } = {};
  #following: Promise<unknown> = Promise.resolve();
  #rendering: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #changedAt: number | undefined;
  #nginx: NginxProcess | undefined;
  #text = "";
  #live: IngressObjects | undefined;
  #news: PromiseWithResolvers<void> = Promise.withResolvers();

  private constructor(
    private readonly admin: KubeAdmin,
    private readonly externalNames: ExternalNames,
    private readonly folder: string,
  ) {
    this.url = `http://127.0.0.1:${this.#port}`;
  }

  /** Starts it on what the cluster holds now; `externalNames` are resolved to these addresses. */
  static async start(admin: KubeAdmin, externalNames: ExternalNames = {}): Promise<IngressProxy> {
    const folder = await Deno.makeTempDir({ prefix: "x402-proxy-" });
    const proxy = new IngressProxy(admin, externalNames, folder);
    proxy.#following = Promise.all([
      proxy.#follow("ingresses"),
      proxy.#follow("services"),
      proxy.#follow("slices"),
    ]);
    try {
      await proxy.waitUntilRendered(() => true);
      return proxy;
    } catch (error) {
      await proxy.stop();
      throw error;
    }
  }

  /** `fetch` as it is where the names of all hosts resolve to this proxy. */
  readonly fetch = (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const { host, pathname, search } = new URL(request.url);
    const here = new Request(`${this.url}${pathname}${search}`, request);
    here.headers.set("host", host);
    return fetch(here, { client: this.#client });
  };

  /**
   * Resolves when all new connections are served from objects for which `holds` is true.
   * @throws {Error} after `timeout` ms, and when nginx refuses its configuration
   */
  async waitUntilRendered(
    holds: (objects: IngressObjects) => boolean,
    timeout = 10_000,
  ): Promise<void> {
    const late = Promise.withResolvers<never>();
    const error = new Error(`No configuration as awaited was rendered within ${timeout} ms.`);
    const timer = setTimeout(() => late.reject(error), timeout);
    try {
      while (this.#live === undefined || !holds(this.#live)) {
        await Promise.race([this.#news.promise, late.promise]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    clearTimeout(this.#timer);
    await Promise.all([this.#following, this.#rendering]);
    await this.#nginx?.end();
    this.#client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Keeps one kind of objects as the API server has them, while that can be reached. */
  async #follow<Field extends keyof typeof kinds>(field: Field): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        for await (const objects of this.admin.observe(kinds[field], {}, signal)) {
          this.#objects[field] = objects as unknown as IngressObjects[Field];
          this.#renderSoon();
        }
      } catch {
        if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, retryAfter));
      }
    }
  }

  #renderSoon(): void {
    this.#changedAt ??= performance.now();
    if (this.#timer !== undefined || this.#stopped.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#rendering = this.#rendering.then(() => this.#render());
      this.#timer = undefined;
    }, holdOff);
  }

  async #render(): Promise<void> {
    const { ingresses, services, slices } = this.#objects;
    if (!ingresses || !services || !slices || this.#stopped.signal.aborted) return;
    const changedAt = this.#changedAt ?? performance.now();
    this.#changedAt = undefined;
    const objects = { ingresses, services, slices };
    try {
      const hosts = ingressLocations(objects, this.externalNames);
      if (await this.#load(nginxConfig(hosts, this.#port, this.folder))) {
        this.reloads.push({ changedAt, liveAt: performance.now() });
      }
      this.#live = objects;
      this.#tell();
    } catch (error) {
      this.#tell(error);
    }
  }

  /** Lets those go on who wait for a rendering. */
  #tell(error?: unknown): void {
    const news = this.#news;
    this.#news = Promise.withResolvers();
    // There may be nobody.
    news.promise.catch(() => {});
    if (error === undefined) news.resolve();
    else news.reject(error);
  }

  /** Whether it was a reload: the same configuration again is none, nor is the first one. */
  async #load(text: string): Promise<boolean> {
    if (text === this.#text) return false;
    await Deno.writeTextFile(join(this.folder, "nginx.conf"), text);
    const isReload = this.#nginx !== undefined;
    if (this.#nginx === undefined) {
      this.#nginx = await NginxProcess.start(await getNginx(), this.folder);
    } else await this.#nginx.reload();
    this.#text = text;
    return isReload;
  }
}
