import assert from "node:assert/strict";
import type { RouteSnapshot, RouteTables } from "../store/route_snapshot.ts";
import { DrainingRoutes } from "./draining_routes.ts";

const keepMs = 30_000;

/** `shop/api: api.example.com/a` by Ingress: one path each, priced by a rule that tells the version. */
function snapshot(paths: Record<string, string[]>, version = "1"): RouteSnapshot {
  const names = Object.keys(paths).sort();
  const hosts = new Map<string, { path: string; ingress: number }[]>();
  names.forEach((name, ingress) => {
    for (const place of paths[name]!) {
      const [host, ...rest] = place.split("/");
      hosts.set(host!, [...hosts.get(host!) ?? [], { path: `/${rest.join("/")}`, ingress }]);
    }
  });
  return {
    hosts: [...hosts].map(([host, list]) => ({
      host,
      paths: list.map(({ path, ingress }) => ({
        path,
        pathType: "Prefix",
        ingress,
        backend: { url: `http://${names[ingress]}-v${version}` },
      })),
    })),
    ingresses: names.map((name) => ({ namespace: "shop", name, tlsHosts: [], rules: [] })),
  };
}

/** `host/path -> backend of Ingress` */
function outline(tables: RouteTables | undefined): string[] | undefined {
  return tables?.hosts.flatMap(({ host, paths }) =>
    paths.map(({ path, ingress, backend }) => {
      const { name } = tables.ingresses[ingress]!;
      return `${host}${path} -> ${"url" in backend ? backend.url : ""} of ${name}`;
    })
  );
}

Deno.test("a path that has gone is served as it was last, until its time is over", () => {
  const draining = new DrainingRoutes(keepMs);
  draining.add(snapshot({ api: ["one/a", "one/b"] }), 0);
  draining.add(snapshot({ api: ["one/a", "one/b"] }, "2"), 1_000);
  const gone = draining.add(snapshot({ api: ["one/a"] }, "3"), 2_000);
  assert.deepEqual(outline(gone.fallback), ["one/b -> http://api-v2 of api"]);
  assert.equal(draining.nextEnd, 32_000);
  const late = draining.add(snapshot({ api: ["one/a"] }, "3"), 31_999);
  assert.deepEqual(outline(late.fallback), ["one/b -> http://api-v2 of api"]);
  const over = draining.add(snapshot({ api: ["one/a"] }, "3"), 32_000);
  assert.equal(over.fallback, undefined);
  assert.equal(draining.nextEnd, undefined);
});

Deno.test("a path that comes back is not draining any more, whatever it is now", () => {
  const draining = new DrainingRoutes(keepMs);
  draining.add(snapshot({ api: ["one/a"] }), 0);
  draining.add(snapshot({}), 1_000);
  const back = draining.add(snapshot({ other: ["one/a"] }), 2_000);
  assert.equal(back.fallback, undefined);
  assert.equal(draining.nextEnd, undefined);
  // And when it goes again, its time begins anew.
  assert.deepEqual(outline(draining.add(snapshot({}), 3_000).fallback), [
    "one/a -> http://other-v1 of other",
  ]);
  assert.equal(draining.nextEnd, 33_000);
});

Deno.test("paths that went at different times end at different times, each with its own Ingress", () => {
  const draining = new DrainingRoutes(keepMs);
  draining.add(snapshot({ api: ["one/a", "one/b"], other: ["two/c"] }), 0);
  draining.add(snapshot({ api: ["one/b"], other: ["two/c"] }), 1_000);
  const both = draining.add(snapshot({}), 2_000);
  assert.deepEqual(outline(both.fallback), [
    "one/a -> http://api-v1 of api",
    "one/b -> http://api-v1 of api",
    "two/c -> http://other-v1 of other",
  ]);
  assert.equal(draining.nextEnd, 31_000);
  assert.deepEqual(outline(draining.add(snapshot({}), 31_000).fallback), [
    "one/b -> http://api-v1 of api",
    "two/c -> http://other-v1 of other",
  ]);
  assert.equal(draining.nextEnd, 32_000);
});

Deno.test("a path of the same name but another type is another path", () => {
  const draining = new DrainingRoutes(keepMs);
  const exact = snapshot({ api: ["one/a"] });
  draining.add({
    ...exact,
    hosts: exact.hosts.map(({ host, paths }) => ({
      host,
      paths: paths.map((path) => ({ ...path, pathType: "Exact" })),
    })),
  }, 0);
  assert.equal(outline(draining.add(snapshot({ api: ["one/a"] }), 1).fallback)?.length, 1);
});

Deno.test("without a time to keep them, nothing drains, and the snapshot itself is handed on", () => {
  const draining = new DrainingRoutes(0);
  draining.add(snapshot({ api: ["one/a"] }), 0);
  const empty = snapshot({});
  assert.equal(draining.add(empty, 1), empty);
});
