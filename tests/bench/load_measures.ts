import type { BenchServer } from "./bench_server.ts";
import type { BenchServers } from "./bench_servers.ts";

/** A load on a server, and the replies that it has to get. */
export interface LoadMeasure {
  readonly name: string;
  /** Starts the server unless it runs; undefined where it is not installed. */
  readonly server: (servers: BenchServers) => Promise<BenchServer | undefined>;
  readonly path: string;
  readonly status: number;
  /** Of the body of a reply. */
  readonly bytes?: number;
  readonly connections: number;
  /** Hosts that the requests go round. */
  readonly hosts: number;
  /** Whether each request pays. */
  readonly pays: boolean;
  /** The measure of nginx whose CPU is the unit for this one. */
  readonly reference: string;
}

/** What is asked for: 1 KB unless it says otherwise. */
export type Kind = "hello" | "402" | "free" | "free 0 B" | "free 100 KB" | "paid" | "SSE";

const requests: Readonly<Record<Kind, Pick<LoadMeasure, "path" | "status" | "bytes">>> = {
  "hello": { path: "/", status: 200, bytes: 5 },
  "402": { path: "/api/weather", status: 402 },
  "free": { path: "/docs/1k", status: 200, bytes: 1024 },
  "free 0 B": { path: "/docs/0", status: 200, bytes: 0 },
  "free 100 KB": { path: "/docs/100k", status: 200, bytes: 100 * 1024 },
  "paid": { path: "/api/weather", status: 200, bytes: 1024 },
  "SSE": { path: "/streams/events", status: 200 },
};

/** Kinds that nginx is measured with as well. */
const proxied: readonly Kind[] = ["free", "free 0 B", "free 100 KB", "SSE"];

/** Hosts of the large snapshot, each with ten rules. */
const manyHosts = 10_000;

export function nameOf(server: string, kind: Kind, connections = 32): string {
  return `${server}: ${kind}, ${connections} connection${connections === 1 ? "" : "s"}`;
}

/** All loads in the order of the report: what is compared stands and is measured close together. */
export function loadMeasures(): LoadMeasure[] {
  const large = (servers: BenchServers) => servers.gateway("large", { hosts: manyHosts });
  const gateway = loadOn("gateway", (servers) => servers.gateway("gateway"));
  // Other loads go to a process of their own: what it has done before changes what a request costs,
  // and the gateways that are compared with each other have to have done the same.
  const other = loadOn("gateway", (servers) => servers.gateway("other"));
  const twoWorkers = loadOn("gateway, 2 workers", (servers) => servers.twoWorkers());
  const largeAll = loadOn("gateway, 10,000 hosts, all asked", large, manyHosts);
  const largeOne = loadOn("gateway, 10,000 hosts, one asked", large);
  const nginx = loadOn("nginx", (servers) => servers.nginx());
  const go = loadOn("Go ReverseProxy", (servers) => servers.go());
  const express = loadOn("@x402/express", (servers) => servers.express());
  return [
    loadOn("bare Deno.serve", (servers) => servers.hello())("hello"),
    loadOn("bytes of the 402", (servers) => servers.copiedReply(requests["402"].path))("402"),
    ...[gateway, twoWorkers, largeOne, largeAll, express].map((load) => load("402")),
    ...[nginx, gateway, twoWorkers, largeOne, largeAll, go, express].map((load) => load("free")),
    loadOn("tuned fetch proxy", (servers) => servers.tunedProxy())("free"),
    ...[gateway, twoWorkers, largeAll, express].map((load) => load("paid")),
    ...[nginx, other].flatMap((load) => [load("free 0 B"), load("free 100 KB")]),
    ...[1, 512].flatMap((connections) => [
      nginx("free", connections),
      other("402", connections),
      other("free", connections),
      other("paid", connections),
    ]),
    go("free", 512),
    nginx("SSE"),
    other("SSE"),
    loadOn("SSE backend", (servers) => servers.streams())("SSE", 1),
    nginx("SSE", 1),
    other("SSE", 1),
    // One at a time: what a ledger adds to a reply's time, without queues.
    loadOn("no ledger", (servers) => servers.paidGateway("none"))("paid", 1),
    loadOn("SQLite file", (servers) => servers.paidGateway("file"))("paid", 1),
  ];
}

function loadOn(label: string, server: LoadMeasure["server"], hosts = 1) {
  return (kind: Kind, connections = 32): LoadMeasure => ({
    name: nameOf(label, kind, connections),
    server,
    ...requests[kind],
    connections,
    hosts,
    pays: kind === "paid",
    reference: nameOf("nginx", proxied.includes(kind) ? kind : "free", connections),
  });
}
