/** One header line; names in lower case. */
export type HeaderLine = [name: string, value: string];

/** What may be asked of header lines; the runtime's `Headers` can answer it as well. */
export interface ReadableFields {
  /** All lines of that name (lower case) as one value (RFC 9110, 5.2), or null. */
  get(name: string): string | null;
  has(name: string): boolean;
  forEach(use: (value: string, name: string) => void): void;
}

/**
 * The header lines of one message, in the order of the wire. A flat array: the runtime's `Headers`
 * sorts, checks and copies, which costs more than all else that is done with a request.
 */
export class HeaderFields implements ReadableFields {
  /** Name, value, name, value, ... */
  readonly #flat: string[] = [];

  static of(lines: Iterable<readonly [string, string]>): HeaderFields {
    const fields = new HeaderFields();
    for (const [name, value] of lines) fields.append(name, value);
    return fields;
  }

  /** @param name in lower case */
  append(name: string, value: string): void {
    this.#flat.push(name, value);
  }

  /** In place of all lines of that name. */
  set(name: string, value: string): void {
    this.delete(name);
    this.append(name, value);
  }

  delete(name: string): void {
    const flat = this.#flat;
    for (let i = flat.length - 2; i >= 0; i -= 2) if (flat[i] === name) flat.splice(i, 2);
  }

  get(name: string): string | null {
    const flat = this.#flat;
    let found: string | null = null;
    for (let i = 0; i < flat.length; i += 2) {
      if (flat[i] !== name) continue;
      // Cookies are the one list that is not separated by commas (RFC 6265, 5.4).
      found = found === null
        ? flat[i + 1]!
        : found + (name === "cookie" ? "; " : ", ") + flat[i + 1];
    }
    return found;
  }

  has(name: string): boolean {
    const flat = this.#flat;
    for (let i = 0; i < flat.length; i += 2) if (flat[i] === name) return true;
    return false;
  }

  /** How many lines have that name. */
  count(name: string): number {
    const flat = this.#flat;
    let count = 0;
    for (let i = 0; i < flat.length; i += 2) if (flat[i] === name) count++;
    return count;
  }

  /** Every line; repeated names come repeated. */
  forEach(use: (value: string, name: string) => void): void {
    const flat = this.#flat;
    for (let i = 0; i < flat.length; i += 2) use(flat[i + 1]!, flat[i]!);
  }

  *[Symbol.iterator](): Generator<HeaderLine> {
    const flat = this.#flat;
    for (let i = 0; i < flat.length; i += 2) yield [flat[i]!, flat[i + 1]!];
  }
}
