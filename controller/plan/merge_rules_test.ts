import assert from "node:assert/strict";
import fc from "fast-check";
import { covers, pathSegments } from "../../store/path_pattern.ts";
import { mergeRules } from "./merge_rules.ts";
import type { RouteClaim } from "./route_claim.ts";

const name = { namespace: "default", name: "paid" };

function claimOf(patterns: readonly string[]): RouteClaim {
  const rules = patterns.map((pattern) => ({
    pattern,
    route: name,
    access: { kind: "free" as const },
  }));
  return { metadata: name, name, form: "current", manual: false, rules, findings: [] };
}

Deno.test("the earliest rule that covers another is found, as a linear search finds it", () => {
  const pattern = fc.array(fc.constantFrom("a", "b", "*", "**"), { maxLength: 4 })
    .map((segments) => `/${segments.join("/")}`);
  fc.assert(fc.property(fc.array(pattern, { maxLength: 12 }), (patterns) => {
    const claim = claimOf(patterns);
    const found = mergeRules([claim]).findings.get(claim)!.map(({ problem }) => problem.message);
    const expected = patterns.flatMap((later, index) => {
      const earlier = patterns.slice(0, index)
        .findIndex((earlier) => covers(pathSegments(earlier), pathSegments(later)));
      return earlier < 0 ? [] : [[index, earlier]];
    });
    assert.equal(found.length, expected.length);
    expected.forEach(([later, earlier], place) => {
      assert.match(
        found[place]!,
        new RegExp(`^spec\\.routes\\[${later}\\] .*\\[${earlier}\\] comes`),
      );
    });
  }));
});

Deno.test("ten thousand rules of one Ingress are merged in a moment", () => {
  const patterns = Array.from({ length: 10_000 }, (_, n) => `/api/v1/item${n}/**`);
  const started = performance.now();
  mergeRules([claimOf(patterns)]);
  assert.ok(performance.now() - started < 200, `${performance.now() - started} ms`);
});
