/**
 * Hosts to entries: the exact name, else its wildcard (`*` stands for exactly one label), else the
 * entry without a host. There is no falling through: a host that is named anywhere is served by its
 * own entry alone, even where that entry has no path for the request, so that nobody can take over
 * paths of somebody else's host with a wildcard.
 */
export class HostTable<E> {
  readonly #entries: ReadonlyMap<string, E>;

  /** Keys in lower case: `api.example.com`, `*.example.com`, or `""` for any host. */
  constructor(entries: Iterable<readonly [host: string, entry: E]>) {
    this.#entries = new Map(entries);
  }

  /** `host` in lower case, without port or trailing dot. */
  find(host: string): E | undefined {
    const exact = this.#entries.get(host);
    if (exact !== undefined) return exact;
    const dot = host.indexOf(".");
    const wildcard = dot > 0 ? this.#entries.get("*" + host.slice(dot)) : undefined;
    return wildcard ?? this.#entries.get("");
  }
}
