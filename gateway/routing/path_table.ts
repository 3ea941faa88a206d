import { pathSegments } from "../../store/path_pattern.ts";
import type { IngressPath } from "../../store/route_snapshot.ts";

type TablePath = Pick<IngressPath, "path" | "pathType" | "byText">;

/**
 * The Ingress paths of one host, with the semantics of networking.k8s.io/v1: `Exact` compares the
 * whole path, `Prefix` compares segment by segment and ignores a trailing slash; an exact match
 * wins, then the longest prefix.
 */
export class PathTable<P extends TablePath> {
  /** Those that are compared character by character as well, the longest first. */
  readonly #byText: readonly P[];
  readonly #exact = new Map<string, P>();
  readonly #root: PrefixNode<P> = { children: new Map(), entry: undefined };

  /** Whether a slash at the end can make a difference. */
  get hasExact(): boolean {
    return this.#exact.size > 0;
  }

  constructor(paths: readonly P[]) {
    this.#byText = paths.filter(({ byText }) => byText)
      .sort((a, b) => b.path.length - a.path.length);
    for (const entry of paths) {
      if (entry.pathType === "Exact") this.#exact.set(entry.path, entry);
      else this.#insert(entry);
    }
  }

  /** `path` is the canonical path, `segments` its segments. */
  find(path: string, segments: readonly string[]): P | undefined {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return exact;
    let node: PrefixNode<P> | undefined = this.#root;
    let longest = node.entry;
    for (const segment of segments) {
      node = node.children.get(segment);
      if (node === undefined) break;
      if (node.entry !== undefined) longest = node.entry;
    }
    const text = this.#byText.find((entry) => path.startsWith(entry.path));
    const isLonger = text !== undefined && text.path.length > (longest?.path.length ?? 0);
    return isLonger ? text : longest;
  }

  #insert(entry: P): void {
    let node = this.#root;
    for (const segment of pathSegments(entry.path)) {
      let child = node.children.get(segment);
      if (child === undefined) {
        node.children.set(segment, child = { children: new Map(), entry: undefined });
      }
      node = child;
    }
    // `/a` and `/a/` are the same prefix: the first one, which the plan sorted first, stays.
    node.entry ??= entry;
  }
}

interface PrefixNode<P> {
  readonly children: Map<string, PrefixNode<P>>;
  entry: P | undefined;
}
