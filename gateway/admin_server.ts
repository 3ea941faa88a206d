import type { Metrics } from "../store/metrics.ts";

/** Answers `GET /metrics` in Prometheus' text format. */
export function metricsHandler({ registry }: Metrics): Deno.ServeHandler {
  return async (request) => {
    if (pathOf(request) !== "/metrics") return notFound();
    return new Response(await registry.metrics(), {
      headers: { "content-type": registry.contentType },
    });
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
