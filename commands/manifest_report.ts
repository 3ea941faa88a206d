import type { ManifestEvent } from "../controller/mod.ts";
import type { Logger } from "../store/log.ts";
import type { Metrics } from "../store/metrics.ts";

/** Turns what happens to the manifests into log lines and metrics. */
export function manifestReporter(log: Logger, metrics: Metrics): (event: ManifestEvent) => void {
  return (event) => {
    const { type: _, ...fields } = event;
    switch (event.type) {
      case "manifest-error":
        metrics.snapshot.refused();
        return log.error("manifest refused, the last good routes stay in force", fields);
      case "route-problem":
        if (event.kind === "invalid") return log.error("X402Route is invalid", fields);
        // The manifest is not at fault, and the facilitator may say something else soon.
        return log[event.kind === "network-not-supported" ? "warn" : "error"](
          "X402Route does not work as written",
          fields,
        );
      case "route-warning":
        return log.warn("X402Route may not mean what it says", fields);
      case "publish-failed":
        metrics.snapshot.refused();
        return log.error("routes could not be put in force, the old ones stay", fields);
      case "snapshot-published": {
        const { conditions, type: _, ...logged } = event;
        metrics.routeStoreUpdates.inc();
        metrics.snapshot.published(event.routes, event.ms, conditions);
        return log.info("routes in force", logged);
      }
    }
  };
}
