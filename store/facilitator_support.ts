/** One kind of payment that a facilitator takes (x402-specification-v2.md, section 7.3.1). */
export interface SupportedKind {
  readonly x402Version: number;
  readonly scheme: string;
  /** A CAIP-2 id in version 2 (`eip155:8453`), a name in version 1 (`base`). */
  readonly network: string;
  /** What buyers have to know besides; its values are as the facilitator sent them. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/**
 * What facilitators have said that they support: the gateway asks them, the controller plans with
 * it. Only answers are in here. A facilitator that cannot be reached supports what it did before,
 * because an outage of somebody else's must change neither prices nor statuses.
 */
export class FacilitatorSupport {
  #known: ReadonlyMap<string, readonly SupportedKind[]> = new Map();
  readonly #listeners = new Set<() => void>();

  /**
   * The last answer of each facilitator, by its URL without a trailing slash; nothing is known of the
   * others. Map and lists are never changed in place: what has not changed is the same object. The
   * kinds and their keys are sorted, because a facilitator may name them in any order.
   */
  get known(): ReadonlyMap<string, readonly SupportedKind[]> {
    return this.#known;
  }

  /** Calls back, within `set` or `keep`, whenever what is known differs; until the signal aborts. */
  onChange(listener: () => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => this.#listeners.delete(listener), { once: true });
  }

  /** Takes an answer; one that says the same as the one before is no news. */
  set(facilitatorUrl: string, kinds: readonly SupportedKind[]): void {
    const texts = [...new Set(kinds.map(canonical))].sort();
    if (this.#known.get(facilitatorUrl)?.map(canonical).join("\n") === texts.join("\n")) return;
    const sorted = texts.map((text): SupportedKind => JSON.parse(text));
    this.#replace([...this.#known, [facilitatorUrl, sorted]]);
  }

  /** Forgets all facilitators but these. */
  keep(facilitatorUrls: ReadonlySet<string>): void {
    const kept = [...this.#known].filter(([url]) => facilitatorUrls.has(url));
    if (kept.length < this.#known.size) this.#replace(kept);
  }

  #replace(entries: readonly (readonly [string, readonly SupportedKind[]])[]): void {
    this.#known = new Map(entries);
    for (const listener of this.#listeners) listener();
  }
}

/** The same text for the same kind, whatever the order of its keys. */
function canonical({ x402Version, scheme, network, extra }: SupportedKind): string {
  return JSON.stringify(sorted({ scheme, network, x402Version, ...(extra && { extra }) }));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(
    keys.map((key) => [key, sorted((value as Record<string, unknown>)[key])]),
  );
}
