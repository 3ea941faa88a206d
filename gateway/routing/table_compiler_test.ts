import assert from "node:assert/strict";
import { Metrics } from "../../store/metrics.ts";
import type { RouteSnapshot } from "../../store/route_snapshot.ts";
import { RouteIndex } from "./route_index.ts";
import { TableCompiler } from "./table_compiler.ts";

const route = { namespace: "shop", name: "prices" };
const ingress = {
  namespace: "shop",
  name: "web",
  tlsHosts: [],
  rules: [{ pattern: "/x", route, access: { kind: "free" } as const }],
};
const backend = { url: "http://backend" };
const tables = {
  ingresses: [ingress],
  hosts: [{ host: "", paths: [{ path: "/", pathType: "Prefix" as const, ingress: 0, backend }] }],
};
const empty = { ingresses: [], hosts: [] };
const x = { host: "h", authority: "h", path: "/x", query: "", segments: ["x"], readings: [] };

Deno.test("what is in force, or in the fallback, is counted, what is gone is not", () => {
  const metrics = new Metrics();
  const compiler = new TableCompiler(metrics);
  const tally = metrics.requests("/x", "shop", "prices");
  const has = (snapshot: RouteSnapshot) => {
    new RouteIndex(snapshot, metrics, compiler);
    return [...compiler.tallies()].includes(tally);
  };
  assert.ok(has(tables));
  assert.ok(has({ ...tables }), "the very same tables again");
  assert.ok(has({ ...empty, fallback: tables }));
  assert.ok(!has(empty));
});

Deno.test("an Ingress that comes back after it was forgotten is counted again", () => {
  const metrics = new Metrics();
  const compiler = new TableCompiler(metrics);
  new RouteIndex(tables, metrics, compiler);
  for (const now of [0, 600_000]) {
    new RouteIndex(empty, metrics, compiler);
    metrics.forgetGone(compiler.tallies(), now);
  }
  new RouteIndex(tables, metrics, compiler).match(x, "GET").rule!.count("free");
  assert.equal(metrics.requests("/x", "shop", "prices").counts.get("free"), 1);
});
