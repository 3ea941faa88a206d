import process from "node:process";
import type { Registry } from "prom-client";
import { Readings } from "./declared_metrics.ts";

/** What `x402_build_info` says. */
export interface BuildInfo {
  readonly version: string;
  readonly commit: string;
  /** Version of Deno. */
  readonly deno: string;
}

/**
 * What the process as a whole is and takes, in the names of Prometheus' client libraries. Open file
 * descriptors are not among it: for /proc Deno asks for all permissions.
 */
export function exposeProcess(registry: Registry, { version, commit, deno }: BuildInfo): void {
  const startedAt = performance.timeOrigin / 1000;
  new Readings(registry, "x402_build_info").read = () => [[version, commit, deno, 1]];
  new Readings(registry, "process_start_time_seconds").read = () => [[startedAt]];
  new Readings(registry, "process_resident_memory_bytes").read = () => [[Deno.memoryUsage().rss]];
  new Readings(registry, "process_cpu_seconds_total").read = () => {
    const { user, system } = process.cpuUsage();
    return [[(user + system) / 1e6]];
  };
}
