/** The rows about the processes, and what they make of the cluster. */
import { at, growth, quantile, quantiles, rate, type Row, sum } from "./panel.ts";

export const saturation: Row = {
  title: "Gateway",
  panels: [
    {
      title: "Requests in flight",
      unit: "short",
      queries: [
        [sum("instance", "x402_requests_in_flight"), "{{instance}}"],
        [sum("instance", "x402_requests_in_flight_limit"), "{{instance}} limit"],
      ],
    },
    {
      title: "Lag of the event loop, p99",
      unit: "s",
      queries: [[quantile(0.99, "x402_event_loop_lag_seconds", "instance"), "{{instance}}"]],
    },
    {
      title: "Refused for overload",
      unit: "reqps",
      queries: [[rate("kind", "x402_overloaded_requests_total"), "{{kind}}"]],
    },
    {
      title: "Connections",
      unit: "short",
      queries: [
        [sum("instance", "x402_client_connections"), "{{instance}} clients"],
        [sum("instance, state", "x402_upstream_connections"), "{{instance}} backends {{state}}"],
        [sum("instance", "x402_upstream_requests_waiting"), "{{instance}} requests waiting"],
      ],
    },
    {
      title: "CPU, in cores",
      unit: "short",
      queries: [[rate("instance", "process_cpu_seconds_total"), "{{instance}}"]],
    },
    {
      title: "Memory",
      unit: "bytes",
      queries: [[sum("instance", "process_resident_memory_bytes"), "{{instance}}"]],
    },
  ],
};

export const cluster: Row = {
  title: "Routes and cluster",
  panels: [
    {
      title: "X402Routes not ready",
      unit: "short",
      bad: 1,
      type: "stat",
      queries: [[
        `max by (reason) (${
          at("x402_route_conditions", 'condition="Ready"', 'status="False"')
        }) or vector(0)`,
        "{{reason}}",
      ]],
    },
    {
      title: "Leaders",
      unit: "short",
      type: "stat",
      about: "1, but in standalone mode.",
      queries: [[`sum(${at("x402_leader")})`, "replicas"]],
    },
    {
      title: "Routes in force since",
      unit: "dateTimeFromNow",
      type: "stat",
      queries: [[
        `1000 * max by (instance) (${at("x402_snapshot_published_timestamp_seconds")})`,
        "{{instance}}",
      ]],
    },
    {
      title: "X402Routes by condition",
      unit: "short",
      queries: [[
        `max by (condition, status, reason) (${at("x402_route_conditions")})`,
        "{{condition}} {{status}} {{reason}}",
      ]],
    },
    {
      title: "Out of date for",
      unit: "s",
      about: "Seconds since a watch of the API server was lost.",
      queries: [[`max by (instance) (${at("x402_snapshot_staleness_seconds")})`, "{{instance}}"]],
    },
    {
      title: "Last plan in force",
      unit: "bool_yes_no",
      queries: [[
        `min by (instance) (${at("x402_snapshot_last_plan_successful")})`,
        "{{instance}}",
      ]],
    },
    {
      title: "Time to put new routes in force",
      unit: "s",
      queries: quantiles("x402_snapshot_compile_duration_seconds"),
    },
    {
      title: "New routes in force",
      unit: "ops",
      queries: [[rate("instance", "x402_route_store_updates_total"), "{{instance}}"]],
    },
    {
      title: "Watches that broke, paths that were put back",
      unit: "short",
      queries: [
        [growth("resource", "x402_watch_restarts_total"), "{{resource}}"],
        [growth("instance", "x402_ingress_reverts_total"), "paths put back {{instance}}"],
      ],
    },
    {
      title: "Writes to the cluster",
      unit: "ops",
      queries: [[
        rate("resource, verb, outcome", "x402_cluster_writes_total"),
        "{{resource}} {{verb}} {{outcome}}",
      ]],
    },
    {
      title: "Requests to the API server",
      unit: "reqps",
      queries: [[
        rate("verb, resource, code", "x402_kube_requests_total"),
        "{{verb}} {{resource}} {{code}}",
      ]],
    },
    {
      title: "Builds",
      unit: "short",
      type: "stat",
      queries: [[
        `count by (version, commit, deno) (${at("x402_build_info")})`,
        "{{version}} {{commit}} Deno {{deno}}",
      ]],
    },
    {
      title: "X402Routes and workers",
      unit: "short",
      queries: [
        [`max(${at("x402_active_routes")})`, "X402Routes in force"],
        [sum("instance", "x402_workers"), "{{instance}} workers"],
      ],
    },
  ],
};
