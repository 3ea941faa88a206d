import type { OperatorEvent } from "../controller/mod.ts";
import type { Logger } from "../store/log.ts";
import type { Metrics } from "../store/metrics.ts";

/** Turns what happens between the operator and its cluster into log lines and metrics. */
export function operatorReporter(log: Logger, metrics: Metrics): (event: OperatorEvent) => void {
  const { cluster } = metrics;
  let lastSizes: string | undefined;
  return (event) => {
    const { type: _, ...fields } = event;
    switch (event.type) {
      case "watch-lost":
        cluster.watchRestarts.inc({ resource: event.path.split("/").at(-1)! });
        if (lastSizes === undefined) return log.warn(notListed(event), fields);
        return log.warn("watch lost, the last known routes stay in force", {
          ...fields,
          stalenessSeconds: Math.round(cluster.staleness()),
        });
      case "watch-restored":
        return log.info("watch restored", fields);
      case "object-refused":
        return log.error("object cannot be used", fields);
      case "leader-started":
        cluster.leader.set(1);
        return log.info("leading: this replica writes to the cluster");
      case "leader-stopped":
        cluster.leader.set(0);
        return log.info("not leading any more", fields);
      case "leader-seen":
        return log.info("another replica leads", fields);
      case "lease-failed":
        return log.warn("the Lease could not be taken or renewed", fields);
      case "cluster-write": {
        const [resource] = event.key.split(" ");
        cluster.writes.inc({ resource: resource!, verb: event.verb, outcome: event.outcome });
        if (event.outcome === "done") return log.info("written", fields);
        if (event.outcome === "stale") return log.debug("write was out of date", fields);
        return log.warn("write failed, it is tried again", fields);
      }
      case "route-condition":
        return event.status === "True"
          ? log.info("X402Route", fields)
          : log.warn("X402Route does not work as written", fields);
      case "crd-outdated":
        return log.warn("the CRD is older than this operator: it drops fields of the status");
      case "ingress-reverted":
        cluster.reverts.inc(event.paths);
        return log.debug("paths that somebody else had put back are patched again", fields);
      case "snapshot-published": {
        const { conditions, ms, type: _, ...sizes } = event;
        metrics.routeStoreUpdates.inc();
        metrics.snapshot.published(event.routes, ms, conditions);
        // A cluster changes all the time; that there are more or fewer routes is news.
        const isNews = JSON.stringify(sizes) !== lastSizes;
        lastSizes = JSON.stringify(sizes);
        return log[isNews ? "info" : "debug"]("routes in force", { ...sizes, ms });
      }
      case "publish-failed":
        metrics.snapshot.refused();
        return log.error("routes could not be put in force, the old ones stay", fields);
    }
  };
}

/** Why there are no routes yet, and what to do about it. */
function notListed({ path, reason }: Extract<OperatorEvent, { type: "watch-lost" }>): string {
  const resource = path.split("/").at(-1)!;
  const [, status] = /: (\d{3}) /.exec(reason) ?? [];
  const cannot = `cannot list ${resource} yet`;
  if (status === "404" && resource === "x402routes") {
    return `${cannot}: is the CRD installed? (kubectl apply -f crd/x402route.yaml)`;
  }
  if (status === "403") {
    const [, namespace] = /\/namespaces\/([^/]+)\//.exec(path) ?? [];
    const where = namespace === undefined ? "all namespaces" : `namespace ${namespace}`;
    return `${cannot}: no permission to list and watch ${resource} in ${where}, see deploy/rbac`;
  }
  return `${cannot}, so there are no routes in force`;
}
