/** Milliseconds for which reverts count together, and are remembered after the last one. */
export const revertWindowMs = 60_000;
/** So many are no accident. */
const tolerated = 3;

interface History {
  readonly charged: ReadonlySet<string>;
  /** `performance.now()` of each time that something had put a path back. */
  readonly times: readonly number[];
}

/** Notices when something else puts the paths of an Ingress back again and again. */
export class Reverts {
  readonly #histories = new Map<string, History>();

  /**
   * @param charged keys of the slots that were led to the gateway by a patch just now
   * @returns how many of them the patch before had led there already
   */
  patched(ingress: string, charged: readonly string[], now: number): number {
    const { charged: before, times } = this.#histories.get(ingress) ??
      { charged: new Set<string>(), times: [] };
    const again = charged.filter((key) => before.has(key)).length;
    this.#histories.set(ingress, {
      charged: new Set(charged),
      times: [...recent(times, now), ...(again > 0 ? [now] : [])],
    });
    return again;
  }

  /** How often within a minute, where that is too often to be a person at work. */
  count(ingress: string, now: number): number | undefined {
    const times = recent(this.#histories.get(ingress)?.times ?? [], now);
    return times.length > tolerated ? times.length : undefined;
  }
}

function recent(times: readonly number[], now: number): number[] {
  return times.filter((time) => now - time < revertWindowMs);
}
