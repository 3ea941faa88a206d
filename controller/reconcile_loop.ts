import type { FacilitatorSupport } from "../store/facilitator_support.ts";
import type { RouteSnapshot } from "../store/route_snapshot.ts";
import { folderChanges } from "./folder_changes.ts";
import type { ManifestError, ManifestEvent } from "./manifest_event.ts";
import { ManifestFolder, type Manifests } from "./manifest_folder.ts";
import { folderErrors, routeEvents } from "./plan_events.ts";
import { publishedEvent } from "./published_event.ts";
import { noMemory, plan, type PlanMemory } from "./plan/plan.ts";
import type { PlanOptions } from "./plan/plan_options.ts";

export interface ManifestLoop {
  readonly folder: string;
  readonly options: PlanOptions;
  readonly facilitators: FacilitatorSupport;
  /** Puts a snapshot in force. When it throws, the one before is taken to be still in force. */
  readonly publish: (snapshot: RouteSnapshot) => void;
  readonly report: (event: ManifestEvent) => void;
  readonly signal: AbortSignal;
}

/** Milliseconds that an answer of a facilitator waits for those of others. */
const coalesceMs = 20;

/**
 * Standalone mode: keeps the snapshot in force equal to the manifests in a folder, until the signal
 * aborts. The folder is one unit, used as a whole or not at all: with an error in any file, or an
 * X402Route whose Ingress is not there, the last good snapshot stays, and before the first good one
 * nothing is published.
 *
 * A problem is reported when it appears, and not again while it lasts.
 */
export async function startManifestLoop(loop: ManifestLoop): Promise<void> {
  const manifests = new ManifestFolder(loop.folder);
  const reconcile = reconciler(loop);
  let unused: Manifests | undefined;
  let latest: Manifests | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  loop.facilitators.onChange(() => {
    timer ??= setTimeout(() => {
      timer = undefined;
      if (latest !== undefined) reconcile(latest, performance.now());
    }, coalesceMs);
  }, loop.signal);
  for await (const changedAgain of folderChanges(loop.folder, loop.signal)) {
    const started = performance.now();
    unused = await manifests.load() ?? unused;
    // What is read while it is being written is not whole; another turn comes when it is.
    if (unused === undefined || changedAgain()) continue;
    latest = unused;
    unused = undefined;
    reconcile(latest, started);
  }
  clearTimeout(timer);
}

/** Takes what was read from the folder, and `performance.now()` of when the looking at it began. */
function reconciler(loop: ManifestLoop): (manifests: Manifests, started: number) => void {
  let memory: PlanMemory = noMemory;
  let lasting = new Set<string>();
  const reportNew = (events: readonly ManifestEvent[]) => {
    const keyed = new Map(events.map((event) => [JSON.stringify(event), event]));
    for (const [key, event] of keyed) if (!lasting.has(key)) loop.report(event);
    lasting = new Set(keyed.keys());
  };
  const refuse = (errors: readonly ManifestError[]) =>
    reportNew(errors.map((error) => ({ type: "manifest-error", ...error })));

  return (manifests, started) => {
    if (!manifests.ok) return refuse(manifests.errors);
    try {
      const state = { ...manifests.state, facilitatorSupport: loop.facilitators.known };
      const planned = plan(state, loop.options, memory);
      const errors = folderErrors(planned, manifests.routeSource);
      if (errors.length > 0) return refuse(errors);
      reportNew(routeEvents(planned, manifests.routeSource));
      loop.publish(planned.snapshot);
      memory = planned;
      loop.report(publishedEvent(planned, performance.now() - started));
    } catch (error) {
      // A fault of ours must not end the loop: what is in force goes on, and the next change may work.
      const reason = error instanceof Error ? error.message : String(error);
      loop.report({ type: "publish-failed", reason });
    }
  };
}
