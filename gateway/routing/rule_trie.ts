import { pathSegments } from "../../store/path_pattern.ts";

/**
 * Finds the first rule of a list that matches a path, in time that depends on the path and not on
 * the number of rules: all patterns share one trie, walked as a nondeterministic automaton. A node
 * is reached by exactly one pattern prefix, so the set of active nodes stays as small as the number
 * of *different* wildcard prefixes that fit the path.
 */
export class RuleTrie<R extends { readonly methods?: readonly string[] }> {
  readonly #root = new Node(false);
  readonly #rules: readonly R[];
  /** Whether it matters for any path with which method it is requested. */
  readonly dependsOnMethod: boolean;

  /** `pattern` of each rule: segments with `*` (one) and `**` (zero or more). Earlier rules win. */
  constructor(rules: readonly (R & { readonly pattern: string })[]) {
    this.#rules = rules;
    this.dependsOnMethod = rules.some(({ methods }) => methods !== undefined);
    rules.forEach((rule, index) => {
      let node = this.#root;
      for (const segment of pathSegments(rule.pattern)) node = node.extend(segment);
      node.ends.push(index);
    });
  }

  /** The first rule whose pattern matches the segments and whose methods include `method`. */
  find(segments: readonly string[], method: string): R | undefined {
    let active = [this.#root];
    addGlobstar(this.#root, active);
    for (const segment of segments) {
      const next: Node[] = [];
      for (const node of active) step(node, segment, next);
      if (next.length === 0) return undefined;
      active = next;
    }
    return this.#first(active, method);
  }

  #first(active: readonly Node[], method: string): R | undefined {
    const priced = method === "HEAD" ? "GET" : method;
    let best = Infinity;
    for (const node of active) {
      for (const index of node.ends) {
        if (index >= best) break;
        const methods = this.#rules[index]!.methods;
        if (methods === undefined || methods.includes(priced)) {
          best = index;
          break;
        }
      }
    }
    return this.#rules[best];
  }
}

class Node {
  readonly literals = new Map<string, Node>();
  star: Node | undefined;
  globstar: Node | undefined;
  /** Indices of the rules that end here, ascending because rules are inserted in order. */
  readonly ends: number[] = [];

  constructor(readonly isGlobstar: boolean) {}

  extend(segment: string): Node {
    // `**/**` is `**`.
    if (segment === "**") return this.isGlobstar ? this : this.globstar ??= new Node(true);
    if (segment === "*") return this.star ??= new Node(false);
    let child = this.literals.get(segment);
    if (child === undefined) this.literals.set(segment, child = new Node(false));
    return child;
  }
}

function step(node: Node, segment: string, next: Node[]): void {
  if (node.isGlobstar) add(node, next);
  const literal = node.literals.get(segment);
  if (literal !== undefined) add(literal, next);
  if (node.star !== undefined) add(node.star, next);
}

/** A node under a globstar can be reached again while it is still active: keep the set a set. */
function add(node: Node, nodes: Node[]): void {
  if (nodes.includes(node)) return;
  nodes.push(node);
  addGlobstar(node, nodes);
}

/** `**` matches zero segments, so its node is active as soon as its parent is. */
function addGlobstar(node: Node, nodes: Node[]): void {
  if (node.globstar !== undefined) add(node.globstar, nodes);
}
