import { keyOf, type RawObject } from "../cluster_state.ts";
import type { RouteStatus } from "../plan/route_status.ts";
import { sameJson, statusUpdate } from "./status_update.ts";

/** Milliseconds between attempts to write a status that something else changes again and again. */
const overwrittenMs = 30_000;

interface Written {
  readonly status: RouteStatus;
  /** Of the X402Route with that status, or with what the API server has kept of it. */
  readonly version: unknown;
  /** How often it was written. */
  readonly times: number;
}

/**
 * The status of each X402Route that was written last. One that is not there afterwards must not be
 * written for ever: a CRD that is older than this operator drops fields that it does not know, and
 * another operator may have a status of its own to write.
 */
export class WrittenStatuses {
  readonly #last = new Map<string, Written>();

  /** Milliseconds to wait before writing the status; undefined where that would change nothing. */
  delayMs({ metadata }: RawObject, status: RouteStatus): number | undefined {
    const last = this.#last.get(keyOf(status));
    if (last === undefined || !sameJson(last.status, status)) return 0;
    if (last.version === metadata.resourceVersion) return undefined;
    return last.times === 1 ? 0 : overwrittenMs;
  }

  /** @returns whether the API server has kept it as it was sent; `answer` is what it has now */
  written(status: RouteStatus, answer: RawObject): boolean {
    const last = this.#last.get(keyOf(status));
    const again = last !== undefined && sameJson(last.status, status);
    const version = answer.metadata.resourceVersion;
    this.#last.set(keyOf(status), { status, version, times: again ? last.times + 1 : 1 });
    return statusUpdate(answer, status, new Date()) === undefined;
  }

  clear(): void {
    this.#last.clear();
  }
}
