/** What the API server says of an object, without keeping it. */
import type { ClusterAccess } from "./api_server.ts";
import type { Rendered } from "./helm_chart.ts";
import { KubeHttp } from "./kube_http.ts";

interface ResourceList {
  readonly resources: readonly { name: string; kind: string; namespaced: boolean }[];
}

/** Applies objects of any kind; requests fail with `ApiError`. */
export class AnyKind implements Disposable {
  readonly #http: KubeHttp;
  readonly #lists = new Map<string, Promise<ResourceList>>();

  constructor(access: Pick<ClusterAccess, "url" | "caPem" | "adminToken">) {
    this.#http = new KubeHttp(access);
  }

  /**
   * Server-side apply; unknown fields and duplicates are errors.
   * @param dryRun whether nothing is kept
   */
  async apply(object: Rendered, dryRun: boolean): Promise<Rendered> {
    const { name } = object.metadata;
    const query = {
      fieldManager: "helm",
      fieldValidation: "Strict",
      force: "true",
      ...(dryRun && { dryRun: "All" }),
    };
    const contentType = "application/apply-patch+yaml";
    const options = { query, body: object, contentType };
    return await this.#http.request("PATCH", `${await this.#collection(object)}/${name}`, options);
  }

  /** Only a Pod itself is refused by Pod Security; what makes pods is told a warning. */
  async createPod(namespace: string, { metadata, spec }: PodTemplate): Promise<void> {
    const { labels, annotations } = metadata;
    const body = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "pod", labels, annotations },
      spec,
    };
    const query = { fieldValidation: "Strict", dryRun: "All" };
    await this.#http.request("POST", `/api/v1/namespaces/${namespace}/pods`, { query, body });
  }

  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]();
  }

  async #collection({ apiVersion, kind, metadata }: Rendered): Promise<string> {
    const group = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    if (!this.#lists.has(group)) this.#lists.set(group, this.#http.request("GET", group));
    const { resources } = await this.#lists.get(group)!;
    const found = resources.find((it) => it.kind === kind && !it.name.includes("/"));
    if (found === undefined) throw new Error(`The API server knows no ${kind} of ${apiVersion}.`);
    if (!found.namespaced) return `${group}/${found.name}`;
    if (!metadata.namespace) throw new Error(`${kind} ${metadata.name} names no namespace.`);
    return `${group}/namespaces/${metadata.namespace}/${found.name}`;
  }
}

/** What a Deployment, a StatefulSet or a Job makes pods from. */
export interface PodTemplate {
  readonly metadata: Pick<Rendered["metadata"], "labels" | "annotations">;
  // deno-lint-ignore no-explicit-any
  readonly spec: any;
}
