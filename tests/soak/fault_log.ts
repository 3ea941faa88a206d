/** What is made to fail; the gateway itself is never a part of it. */
export type Dependency = "backend" | "facilitator";

interface FaultWindow {
  readonly dependency: Dependency;
  readonly fault: string;
  readonly from: number;
  /** Times of `performance.now()`; infinite while it lasts. */
  until: number;
}

/** Which faults were in force when, so that a reply can be judged by what the gateway had to bear. */
export class FaultLog {
  readonly #windows: FaultWindow[] = [];

  /** To be called before the fault is made. */
  begin(dependency: Dependency, fault: string): void {
    this.#windows.push({ dependency, fault, from: performance.now(), until: Infinity });
  }

  /** @param aftermathMs that it may be felt after the dependency works again */
  end(dependency: Dependency, aftermathMs: number): void {
    const last = this.#windows.findLast((window) => window.dependency === dependency);
    if (last !== undefined) last.until = performance.now() + aftermathMs;
  }

  /** Whether a request that began at `since` and ends now met a fault. */
  met(dependency: Dependency, since: number): boolean {
    return this.#windows.some((window) =>
      window.dependency === dependency && window.until >= since
    );
  }

  /** Names of the faults so far, with how often each was made. */
  tally(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { dependency, fault } of this.#windows) {
      const name = `${dependency} ${fault}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return counts;
  }
}
