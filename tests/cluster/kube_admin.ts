import { parseAllDocuments } from "yaml";
import type { ClusterAccess } from "./api_server.ts";
import { ApiError, KubeHttp } from "./kube_http.ts";
import { collectionPath, type Kind, type Live, type LiveMetadata } from "./kube_kinds.ts";

/** Which object. */
export interface Ref {
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** An object as a user writes it. */
export interface Manifest {
  readonly kind: Kind;
  readonly apiVersion: string;
  readonly metadata: Ref & Partial<Omit<LiveMetadata, "name" | "namespace">>;
  readonly [field: string]: unknown;
}

export interface WatchEvent<K extends Kind> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly object: Live<K>;
}

/** Which objects: all of a kind, those of one namespace, or one of them. */
export type Selection = Partial<Ref>;

/** A user of the cluster who may do everything; requests fail with `ApiError`. */
export class KubeAdmin implements Disposable {
  readonly #http: KubeHttp;

  constructor(access: Pick<ClusterAccess, "url" | "caPem" | "adminToken">) {
    this.#http = new KubeHttp(access);
  }

  get<K extends Kind>(kind: K, ref: Ref): Promise<Live<K>> {
    return this.#http.request("GET", pathOf(kind, ref));
  }

  async list<K extends Kind>(kind: K, selection: Selection = {}): Promise<Live<K>[]> {
    return (await this.#list(kind, selection)).items;
  }

  create<K extends Kind>(object: Manifest & { readonly kind: K }): Promise<Live<K>> {
    const path = collectionPath(object.kind, object.metadata.namespace);
    return this.#http.request("POST", path, { query: asUser, body: object });
  }

  /** Server-side apply, as `kubectl apply --server-side --force-conflicts` does it. */
  apply<K extends Kind>(object: Manifest & { readonly kind: K }): Promise<Live<K>> {
    return this.#http.request("PATCH", pathOf(object.kind, object.metadata), {
      query: { ...asUser, force: "true" },
      body: object,
      contentType: "application/apply-patch+yaml",
    });
  }

  /** Applies the documents of a manifest file, into `namespace` where they name none. */
  async applyYaml(text: string, namespace = "default"): Promise<void> {
    for (const document of parseAllDocuments(text)) {
      const object = document.toJS() as Manifest | null;
      if (object === null) continue;
      await this.apply({ ...object, metadata: { namespace, ...object.metadata } });
    }
  }

  /** Replaces the object; with a `resourceVersion` in it only if that is the current one. */
  replace<K extends Kind>(object: Live<K> | Manifest & { readonly kind: K }): Promise<Live<K>> {
    const path = pathOf(object.kind, object.metadata);
    return this.#http.request("PUT", path, { query: asUser, body: object });
  }

  /** A list is a JSON Patch (RFC 6902), anything else a merge patch (RFC 7386). */
  patch<K extends Kind>(
    kind: K,
    ref: Ref,
    body: object,
    subresource?: "status",
  ): Promise<Live<K>> {
    const contentType = `application/${Array.isArray(body) ? "json" : "merge"}-patch+json`;
    const path = pathOf(kind, ref) + (subresource === undefined ? "" : `/${subresource}`);
    return this.#http.request("PATCH", path, { query: asUser, body, contentType });
  }

  /** What has finalizers is there until they are taken away. */
  async delete(kind: Kind, ref: Ref): Promise<void> {
    await this.#http.request("DELETE", pathOf(kind, ref));
  }

  async deleteAll(kind: Kind, namespace: string): Promise<void> {
    await this.#http.request("DELETE", collectionPath(kind, namespace));
  }

  /** A fresh namespace. It is never deleted: nothing in this cluster completes that. */
  async createNamespace(): Promise<string> {
    const name = `test-${crypto.randomUUID().slice(0, 8)}`;
    await this.create({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
    return name;
  }

  /** A token of the ServiceAccount, valid for an hour (TokenRequest API). */
  async token(serviceAccount: Ref): Promise<string> {
    const path = `${pathOf("ServiceAccount", serviceAccount)}/token`;
    const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
    type Answer = { readonly status: { readonly token: string } };
    return (await this.#http.request<Answer>("POST", path, { body })).status.token;
  }

  /** Changes after `resourceVersion`, until the API server ends the watch or `signal` aborts it. */
  async *watch<K extends Kind>(
    kind: K,
    selection: Selection,
    resourceVersion: string,
    signal?: AbortSignal,
  ): AsyncGenerator<WatchEvent<K>> {
    const query = { ...queryOf(selection), watch: "true", resourceVersion };
    const path = collectionPath(kind, selection.namespace);
    for await (const event of this.#http.lines<WatchEvent<K>>(path, { query, signal })) {
      if ((event.type as string) === "ERROR") {
        const { code, reason, message } = event.object as unknown as Record<string, string>;
        throw new ApiError(Number(code), reason ?? "", message ?? "");
      }
      yield event;
    }
  }

  /** The selected objects now and after every change; ends and throws as `watch` does. */
  async *observe<K extends Kind>(
    kind: K,
    selection: Selection,
    signal?: AbortSignal,
  ): AsyncGenerator<Live<K>[]> {
    const { items, metadata } = await this.#list(kind, selection, signal);
    const objects = new Map(items.map((object) => [object.metadata.uid, object]));
    yield items;
    for await (const event of this.watch(kind, selection, metadata.resourceVersion, signal)) {
      const { uid } = event.object.metadata;
      if (event.type === "DELETED") objects.delete(uid);
      else objects.set(uid, event.object);
      yield [...objects.values()];
    }
  }

  /**
   * Resolves with the selected objects as soon as `holds` is true of them.
   * @throws {Error} with the last state after `timeout` ms
   */
  async waitUntilAll<K extends Kind>(
    kind: K,
    selection: Selection,
    holds: (objects: Live<K>[]) => boolean,
    timeout = 10_000,
  ): Promise<Live<K>[]> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), timeout);
    let last: Live<K>[] = [];
    try {
      while (true) {
        for await (last of this.observe(kind, selection, abort.signal)) {
          if (holds(last)) return last;
        }
      }
    } catch (error) {
      if (!abort.signal.aborted) throw error;
      const what = `${kind} ${selection.namespace ?? ""}/${selection.name ?? "*"}`;
      const state = JSON.stringify(
        last,
        (key, value) => key === "managedFields" ? undefined : value,
        2,
      );
      throw new Error(`${what} was not as awaited within ${timeout} ms; it is ${state}`);
    } finally {
      clearTimeout(timer);
      abort.abort();
    }
  }

  /** The same for one object, which is `undefined` while it is not there. */
  async waitUntil<K extends Kind>(
    kind: K,
    ref: Ref,
    holds: (object: Live<K> | undefined) => boolean,
    timeout?: number,
  ): Promise<Live<K> | undefined> {
    return (await this.waitUntilAll(kind, ref, ([object]) => holds(object), timeout))[0];
  }

  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]();
  }

  async #list<K extends Kind>(kind: K, selection: Selection, signal?: AbortSignal) {
    type Listed = { apiVersion: string; items: Live<K>[]; metadata: { resourceVersion: string } };
    const path = collectionPath(kind, selection.namespace);
    const options = { query: queryOf(selection), signal };
    const { apiVersion, items, metadata } = await this.#http.request<Listed>("GET", path, options);
    // The entries of a list leave out what the list says itself.
    return { items: items.map((item) => ({ ...item, apiVersion, kind })), metadata };
  }
}

/** Unknown fields are errors, as with kubectl. */
const asUser = { fieldManager: "user", fieldValidation: "Strict" };

function pathOf(kind: Kind, { namespace, name }: Ref): string {
  return `${collectionPath(kind, namespace)}/${name}`;
}

function queryOf({ name }: Selection): Record<string, string> {
  return name === undefined ? {} : { fieldSelector: `metadata.name=${name}` };
}
