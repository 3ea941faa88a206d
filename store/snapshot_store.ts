import type { RouteSnapshot } from "./route_snapshot.ts";

/**
 * Holds the snapshot in force. `publish` compiles the new one completely before a single assignment
 * swaps it in, so a request sees the old routes or the new ones, never a mixture, and a snapshot
 * that fails to compile leaves the old one in force.
 *
 * `Compiled` is what the reader makes of a snapshot; it is a parameter so that the writer
 * (controller) need not know the reader (gateway).
 */
export class SnapshotStore<Compiled> {
  #current: Compiled | undefined;

  constructor(private readonly compile: (snapshot: RouteSnapshot) => Compiled) {}

  /** Compiles and swaps. Throws what `compile` throws; the old snapshot then stays in force. */
  publish(snapshot: RouteSnapshot): void {
    this.#current = this.compile(snapshot);
  }

  /** `undefined` until the first snapshot is published: not ready. */
  current(): Compiled | undefined {
    return this.#current;
  }
}
