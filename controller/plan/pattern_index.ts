import type { PathPattern } from "../../store/path_pattern.ts";

interface Entry<T> {
  readonly value: T;
  readonly position: number;
}

/** Things with patterns, found by the literal segments that those begin with. */
export class PatternIndex<T> {
  #size = 0;
  /** By all the literals before the first wildcard. */
  readonly #whole = new Map<string, Entry<T>[]>();
  /** By each beginning of those literals. */
  readonly #partly = new Map<string, Entry<T>[]>();

  add(value: T, pattern: PathPattern): void {
    const entry = { value, position: this.#size++ };
    const prefixes = literalPrefixes(pattern);
    for (const prefix of prefixes) append(this.#partly, prefix, entry);
    append(this.#whole, prefixes.at(-1)!, entry);
  }

  /** In the order in which they were added: all whose pattern may meet the given one, and few others. */
  near(pattern: PathPattern): readonly Entry<T>[] {
    const prefixes = literalPrefixes(pattern);
    const longer = this.#partly.get(prefixes.pop()!);
    const found = [longer, ...prefixes.map((prefix) => this.#whole.get(prefix))]
      .filter((list) => list !== undefined);
    // Not copied where there is one: ten thousand paths may be near the same thousand rules.
    return found.length === 1 ? found[0]! : found.flat().sort((a, b) => a.position - b.position);
  }
}

function append<T>(lists: Map<string, Entry<T>[]>, key: string, entry: Entry<T>): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [entry]);
  else list.push(entry);
}

/** For the pattern `/a/b/*`: "", "/a" and "/a/b". */
function literalPrefixes(pattern: PathPattern): string[] {
  const prefixes = [""];
  for (const segment of pattern) {
    if (segment === "*" || segment === "**") break;
    prefixes.push(`${prefixes.at(-1)}/${segment}`);
  }
  return prefixes;
}
