/** What one look at all connections finds: this share of them, and no fewer than that. */
const foundShare = 1 / 8;
const foundLeast = 64;

/**
 * Finds the connections that have been idle for longest. One look at all of them is for many finds:
 * a flood of new connections, each of which displaces one, must not cost a look each.
 */
export class LongestIdle<C extends { readonly idleSince: number | undefined }> {
  /** The longest at the end. */
  #found: { readonly connection: C; readonly since: number }[] = [];

  constructor(private readonly connections: ReadonlySet<C>) {}

  /** The next one, which the caller closes; undefined when none is idle. */
  take(): C | undefined {
    return this.#next() ?? this.#look();
  }

  #next(): C | undefined {
    for (let entry; (entry = this.#found.pop()) !== undefined;) {
      // It may have been used since, or have ended.
      if (entry.connection.idleSince === entry.since) return entry.connection;
    }
  }

  #look(): C | undefined {
    const idle = [];
    for (const connection of this.connections) {
      const since = connection.idleSince;
      if (since !== undefined) idle.push({ connection, since });
    }
    idle.sort((a, b) => a.since - b.since);
    const count = Math.max(foundLeast, Math.ceil(this.connections.size * foundShare));
    this.#found = idle.slice(0, count).reverse();
    return this.#found.pop()?.connection;
  }
}
