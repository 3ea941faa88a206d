import assert from "node:assert/strict";
import fc from "fast-check";
import { Metrics } from "../../store/metrics.ts";
import { matchesPattern, pathSegments } from "../../store/path_pattern.ts";
import type { IngressPath, RouteSnapshot, Rule } from "../../store/route_snapshot.ts";
import { Failure } from "../failures.ts";
import type { CanonicalTarget } from "./canonical_request.ts";
import { RouteIndex } from "./route_index.ts";

const free = { kind: "free" } as const;
const route = { namespace: "shop", name: "prices" };

function rule(pattern: string, methods?: string[]): Rule {
  return { pattern, route, access: free, ...(methods && { methods }) };
}

function path(path: string, pathType: "Exact" | "Prefix", ingress = 0): IngressPath {
  return { path, pathType, ingress, backend: { url: `http://${ingress}${path}` } };
}

function target(host: string, path: string, readings: string[][] = []): CanonicalTarget {
  const segments = pathSegments(path);
  return { host, authority: host, path, query: "", segments, readings };
}

function ingress(...rules: Rule[]) {
  return { namespace: "shop", name: "web", tlsHosts: [], rules };
}

/** What the look-up is: the definition, one candidate after the other. */
function naive(snapshot: RouteSnapshot, host: string, path: string, method: string) {
  const wildcard = "*" + host.slice(host.indexOf("."));
  const entry = [host, wildcard, ""].map((name) => snapshot.hosts.find((h) => h.host === name))
    .find((found) => found !== undefined);
  const segments = pathSegments(path);
  const length = ({ path, pathType }: IngressPath) => pathType === "Exact" ? Infinity : path.length;
  const [found] = (entry?.paths ?? []).filter((candidate) => {
    if (candidate.pathType === "Exact") return candidate.path === path;
    if (candidate.byText && path.startsWith(candidate.path)) return true;
    return pathSegments(candidate.path).every((segment, i) => segments[i] === segment);
  }).sort((a, b) => length(b) - length(a));
  if (found === undefined) return "no_route";
  const rules = snapshot.ingresses[found.ingress]!.rules;
  const first = rules.findIndex(({ pattern, methods }) =>
    matchesPattern(pathSegments(pattern), segments) &&
    (methods === undefined || methods.includes(method === "HEAD" ? "GET" : method))
  );
  return { backend: found.backend, first };
}

function indexed(snapshot: RouteSnapshot, index: RouteIndex, target: CanonicalTarget, m: string) {
  try {
    const match = index.match(target, m);
    const ingress = snapshot.ingresses[
      snapshot.hosts.flatMap((host) => host.paths).find((p) => p.backend === match.backend)!.ingress
    ]!;
    const first = ingress.rules.findIndex((r) =>
      r.pattern === match.rule?.pattern && r.methods === match.rule.methods
    );
    return { backend: match.backend, first };
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
}

const segment = fc.constantFrom("a", "b", "ab");
const concrete = fc.array(segment, { maxLength: 5 }).map((s) => "/" + s.join("/"));
const pattern = fc.array(fc.constantFrom("a", "b", "*", "**"), { maxLength: 4 })
  .map((s) => "/" + s.join("/"));
const methods = fc.option(fc.subarray(["GET", "POST"], { minLength: 1 }), { nil: undefined });
const hosts = ["x.test", "y.test", "*.test", "deep.x.test", ""];

const snapshots = fc.record({
  rules: fc.uniqueArray(fc.tuple(pattern, methods), {
    maxLength: 12,
    selector: ([pattern, methods]) => JSON.stringify([pattern, methods]),
  }),
  hosts: fc.uniqueArray(fc.constantFrom(...hosts)),
  paths: fc.uniqueArray(fc.tuple(concrete, fc.constantFrom("Exact", "Prefix", "byText")), {
    maxLength: 6,
    selector: ([path, type]) => `${path} ${type === "Exact"}`,
  }),
}).map(({ rules, hosts, paths }): RouteSnapshot => ({
  ingresses: [ingress(...rules.map(([pattern, methods]) => rule(pattern, methods)))],
  hosts: hosts.map((host) => ({
    host,
    paths: paths.map(([p, type], i) => ({
      ...path(p, type === "Exact" ? type : "Prefix"),
      ...(type === "byText" && { byText: true as const }),
      backend: { url: `http://${host}/${i}` },
    })),
  })),
}));

Deno.test("the index finds what a linear search finds, on random routes and requests", () => {
  const request = fc.tuple(
    fc.constantFrom("x.test", "z.test", "deep.x.test", "other.deep.x.test", "test"),
    concrete,
    fc.constantFrom("GET", "HEAD", "POST", "PUT"),
  );
  fc.assert(
    fc.property(snapshots, fc.array(request, { minLength: 10, maxLength: 20 }), (s, requests) => {
      const index = new RouteIndex(s, new Metrics());
      for (const [host, path, method] of requests) {
        const found = indexed(s, index, target(host, path), method);
        assert.deepEqual(found, naive(s, host, path, method), `${method} ${host} ${path}`);
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("10,000 hosts and 100,000 rules: the same answers as a linear search", () => {
  const words = ["api", "v1", "v2", "users", "orders", "*", "**"];
  const seed = Math.floor(Math.random() * 2 ** 31);
  // A seeded generator (mulberry32), so that a failure can be repeated.
  let state = seed;
  const random = (below: number) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
  const pick = (from: readonly string[]) => from[random(from.length)]!;
  const walk = (from: readonly string[]) =>
    "/" + Array.from({ length: 1 + random(4) }, () => pick(from)).join("/");
  const snapshot: RouteSnapshot = {
    ingresses: Array.from({ length: 10_000 }, () => {
      const patterns = new Set<string>();
      while (patterns.size < 10) patterns.add(walk(words));
      return ingress(...[...patterns].map((pattern) => rule(pattern)));
    }),
    hosts: Array.from({ length: 10_000 }, (_, i) => ({
      host: i % 10 === 0 ? `*.h${i}.test` : `h${i}.test`,
      paths: [path("/", "Prefix", i), path("/api", "Exact", i), path("/api/v1", "Prefix", i)],
    })),
  };
  const index = new RouteIndex(snapshot, new Metrics());
  const byHost = new Map(snapshot.hosts.map((entry) => [entry.host, entry]));
  for (let n = 0; n < 20_000; n++) {
    const i = random(10_000);
    const host = i % 10 === 0 ? `sub.h${i}.test` : `h${i}.test`;
    const requested = walk(words.slice(0, 5));
    // The linear search gets the one host that can match; the others it would only skip.
    const entry = byHost.get(host) ?? byHost.get(`*.h${i}.test`)!;
    const expected = naive({ ...snapshot, hosts: [entry] }, host, requested, "GET");
    const match = index.match(target(host, requested), "GET");
    const rules = snapshot.ingresses[i]!.rules;
    const first = rules.findIndex(({ pattern }) => pattern === match.rule?.pattern);
    assert.deepEqual({ backend: match.backend, first }, expected, `seed ${seed}: ${requested}`);
  }
});

const table: [name: string, host: string, path: string, backend: string][] = [
  ["an exact path wins over the prefix", "a.test", "/shop", "http://1/shop"],
  ["an exact path is not a prefix", "a.test", "/shop/x", "http://0/"],
  ["an exact path keeps its trailing slash", "a.test", "/shop/", "http://0/"],
  ["the longest prefix wins", "a.test", "/cart/items/1", "http://3/cart/items"],
  ["a prefix matches whole segments only", "a.test", "/cartoon", "http://0/"],
  ["a prefix ignores the trailing slash", "a.test", "/cart/", "http://2/cart"],
  ["a wildcard stands for one label", "x.a.test", "/cart", "http://4/"],
  ["a host that nobody names goes to the entry without a host", "b.test", "/", "http://5/any"],
];

Deno.test("Ingress path and host semantics", async (t) => {
  const snapshot: RouteSnapshot = {
    ingresses: Array.from({ length: 6 }, () => ingress()),
    hosts: [
      {
        host: "a.test",
        paths: [
          path("/", "Prefix", 0),
          path("/shop", "Exact", 1),
          path("/cart", "Prefix", 2),
          path("/cart/items", "Prefix", 3),
        ],
      },
      { host: "*.a.test", paths: [path("/", "Prefix", 4)] },
      { host: "only.test", paths: [path("/api", "Prefix", 0)] },
      { host: "", paths: [{ ...path("/", "Prefix", 5), backend: { url: "http://5/any" } }] },
    ],
  };
  const index = new RouteIndex(snapshot, new Metrics());
  for (const [name, host, requested, url] of table) {
    await t.step(name, () => {
      assert.deepEqual(index.match(target(host, requested), "GET").backend, { url });
    });
  }
  await t.step("a host that is named is never served by somebody else's catch-all", () => {
    assert.throws(() => index.match(target("only.test", "/other"), "GET"), { code: "no_route" });
  });
});

Deno.test("a path whose readings fall under different priced rules is refused", () => {
  const blocked = { ...rule("/api/**"), access: { kind: "blocked", reason: "" } } as const;
  const snapshot: RouteSnapshot = {
    ingresses: [ingress(rule("/api/free"), blocked)],
    hosts: [{ host: "", paths: [path("/", "Prefix")] }],
  };
  const index = new RouteIndex(snapshot, new Metrics());
  const match = (path: string, reading: string[]) =>
    index.match(target("a", path, [reading]), "GET");
  assert.throws(() => match("//api/x", ["api", "x"]), { code: "ambiguous_path" });
  assert.throws(() => match("/api%2Fx", ["api", "x"]), { code: "ambiguous_path" });
  assert.equal(match("//docs", ["docs"]).rule, undefined);
  assert.equal(match("/api/a;b", ["api", "a"]).rule?.access.kind, "blocked");
  assert.equal(match("/x;/free", ["api", "free"]).rule, undefined, "free by one reading is free");
});
