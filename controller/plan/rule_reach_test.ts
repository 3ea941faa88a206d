import assert from "node:assert/strict";
import type { Rule } from "../../store/route_snapshot.ts";
import type { Ingress } from "../cluster_state.ts";
import { ingressPlaces } from "./ingress_places.ts";
import { RuleReach } from "./rule_reach.ts";

const route = { namespace: "shop", name: "paid" };
const ruleOf = (pattern: string): Rule => ({
  pattern,
  route,
  access: { kind: "paid" } as Rule["access"],
});

function reachOf(paths: readonly string[], patterns: readonly string[]) {
  const backend = { service: { name: "api", port: { number: 80 } } };
  const ingress: Ingress = {
    apiVersion: "networking.k8s.io/v1",
    metadata: { namespace: "shop", name: "api" },
    spec: {
      rules: [{
        host: "api.example.com",
        http: { paths: paths.map((path) => ({ path, pathType: "Prefix", backend })) },
      }],
    },
  };
  const places = ingressPlaces(ingress);
  const reach = new RuleReach(places, patterns.map(ruleOf));
  const charged = places.filter((place) => reach.couldMatch(place, "paid"));
  return { charged: charged.length, unreached: reach.unreached().length };
}

const many = (count: number, make: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => make(index));
const deep = "/a".repeat(480);

/** Each of them took seconds while every rule was compared with every path. */
const crowds = [
  {
    name: "1,000 rules and 5,000 paths that have nothing to do with each other",
    paths: many(5000, (index) => `/shop/items/${index}`),
    patterns: many(1000, (index) => `/shop/items/x${index}/**`),
    expected: { charged: 0, unreached: 1000 },
  },
  {
    name: "1,000 rules and 5,000 paths, a path for each rule",
    paths: many(5000, (index) => `/shop/items/${index}`),
    patterns: many(1000, (index) => `/shop/items/${index}/**`),
    expected: { charged: 1000, unreached: 0 },
  },
  {
    name: "1,000 hostile rules and 100 paths of 480 segments",
    paths: many(100, (index) => `${deep}/${index}`),
    patterns: many(1000, (index) => `/**${"/a".repeat(62)}/z${index}`),
    expected: { charged: 100, unreached: 0 },
  },
];
for (const { name, paths, patterns, expected } of crowds) {
  Deno.test(`${name} are compared quickly`, () => {
    const started = performance.now();
    assert.deepEqual(reachOf(paths, patterns), expected);
    assert.ok(performance.now() - started < 2000);
  });
}

const reached: readonly [path: string, pattern: string, charged: number][] = [
  ["/café", "/caf%C3%A9/**", 1],
  ["/a%3ab", "/a:b/**", 1],
  [`${deep}/b`, "/a/a/b/**", 0],
  [`${deep}/b`, "/a/**/b", 1],
  ["/paid", "/free/**", 0],
];
for (const [path, pattern, charged] of reached) {
  Deno.test(`${pattern} is ${charged ? "" : "not "}about ${path.slice(0, 20)}`, () => {
    assert.deepEqual(reachOf([path], [pattern]), { charged, unreached: 1 - charged });
  });
}
