import type { Problem, X402Route } from "../crd/x402route.ts";
import type { RouteSnapshot } from "../store/route_snapshot.ts";
import { keyOf } from "./cluster_state.ts";
import { folderChanges } from "./folder_changes.ts";
import type { ManifestEvent } from "./manifest_event.ts";
import { ManifestFolder, type Manifests } from "./manifest_folder.ts";
import { type Plan, plan } from "./plan/plan.ts";
import type { PlanOptions } from "./plan/plan_options.ts";

export interface ManifestLoop {
  readonly folder: string;
  readonly options: PlanOptions;
  /** Puts a snapshot in force. When it throws, the one before is taken to be still in force. */
  readonly publish: (snapshot: RouteSnapshot) => void;
  readonly report: (event: ManifestEvent) => void;
  readonly signal: AbortSignal;
}

/**
 * Standalone mode: keeps the snapshot in force equal to the manifests in a folder, until the signal
 * aborts. A folder with an error in any file is not used at all: the last good snapshot stays, and
 * before the first good one nothing is published.
 *
 * A problem is reported when it appears, and not again while it lasts.
 */
export async function startManifestLoop(loop: ManifestLoop): Promise<void> {
  const manifests = new ManifestFolder(loop.folder);
  let accepted: ReadonlyMap<string, X402Route> = new Map();
  let lasting = new Set<string>();
  const reportNew = (events: readonly ManifestEvent[]) => {
    const keyed = new Map(events.map((event) => [JSON.stringify(event), event]));
    for (const [key, event] of keyed) if (!lasting.has(key)) loop.report(event);
    lasting = new Set(keyed.keys());
  };

  for await (const _ of folderChanges(loop.folder, loop.signal)) {
    const started = performance.now();
    const loaded = await manifests.load();
    if (loaded === undefined) continue;
    if (!loaded.ok) {
      reportNew(loaded.errors.map((error) => ({ type: "manifest-error", ...error })));
      continue;
    }
    try {
      const planned = plan(loaded.state, loop.options, accepted);
      reportNew(routeEvents(planned, loaded.routeSource));
      loop.publish(planned.snapshot);
      accepted = planned.accepted;
      loop.report(publishedEvent(planned, performance.now() - started));
    } catch (error) {
      // A fault of ours must not end the loop: what is in force goes on, and the next change may work.
      const reason = error instanceof Error ? error.message : String(error);
      loop.report({ type: "publish-failed", reason });
    }
  }
}

type LoadedManifests = Extract<Manifests, { ok: true }>;

function routeEvents(
  { statuses }: Plan,
  routeSource: LoadedManifests["routeSource"],
): ManifestEvent[] {
  return statuses.flatMap(({ problems, warnings, ...name }) => {
    const route = keyOf(name);
    const { file, lineOf } = routeSource(route);
    const event = (type: "route-invalid" | "route-warning") => ({ path, message }: Problem) => ({
      type,
      route,
      file,
      line: lineOf(path),
      message,
    });
    return [...problems.map(event("route-invalid")), ...warnings.map(event("route-warning"))];
  });
}

function publishedEvent({ snapshot, statuses }: Plan, ms: number): ManifestEvent {
  return {
    type: "snapshot-published",
    ingresses: snapshot.ingresses.length,
    routes: statuses.length,
    rules: snapshot.ingresses.reduce((sum, { rules }) => sum + rules.length, 0),
    ms,
  };
}
