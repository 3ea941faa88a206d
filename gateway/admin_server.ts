import { AggregatorRegistry } from "prom-client";
import type { Metrics } from "../store/metrics.ts";

/** Others that have counted, too: each a list of prom-client's metrics. */
interface OtherMetrics {
  metrics(): Promise<object[][]>;
}

/** Answers `GET /metrics` in Prometheus' text format, with the sums of what all isolates have counted. */
export function metricsHandler({ registry }: Metrics, others?: OtherMetrics): Deno.ServeHandler {
  return async (request) => {
    if (pathOf(request) !== "/metrics") return notFound();
    const theirs = await others?.metrics() ?? [];
    const all = theirs.length === 0
      ? registry
      : AggregatorRegistry.aggregate([await registry.getMetricsAsJSON(), ...theirs]);
    return new Response(await all.metrics(), { headers: { "content-type": registry.contentType } });
  };
}

/**
 * Answers Kubernetes' probes: `/healthz` while the process runs, `/readyz` once the first snapshot
 * is in force and until the process begins to drain.
 */
export function probeHandler(isReady: () => boolean): Deno.ServeHandler {
  return (request) => {
    const path = pathOf(request);
    if (path === "/healthz") return text(200, "ok");
    if (path === "/readyz") return isReady() ? text(200, "ok") : text(503, "not ready");
    return notFound();
  };
}

function pathOf(request: Request): string {
  return new URL(request.url).pathname;
}

function text(status: number, body: string): Response {
  return new Response(body + "\n", { status, headers: { "content-type": "text/plain" } });
}

function notFound(): Response {
  return text(404, "not found");
}
