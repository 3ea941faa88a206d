import assert from "node:assert/strict";
import fc from "fast-check";
import { intersects } from "../../store/path_pattern.ts";
import { PatternIndex } from "./pattern_index.ts";

const pattern = fc.array(fc.constantFrom("a", "b", "c", "*", "**"), { maxLength: 4 });

Deno.test("whatever meets a pattern is near it, in order and once", () => {
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 12 }), pattern, (patterns, wanted) => {
      const index = new PatternIndex<number>();
      patterns.forEach((each, position) => index.add(position, each));
      const near = index.near(wanted).map(({ value }) => value);
      assert.deepEqual(near, [...new Set(near)].sort((a, b) => a - b));
      for (const [position, each] of patterns.entries()) {
        if (intersects(each, wanted)) assert.ok(near.includes(position), each.join("/"));
      }
    }),
  );
});

Deno.test("what begins with other literals is not near", () => {
  const index = new PatternIndex<string>();
  for (const each of ["/a", "/a/b/**", "/a/c", "/*/b"]) index.add(each, each.split("/").slice(1));
  assert.deepEqual(index.near(["a", "b"]).map(({ value }) => value), ["/a", "/a/b/**", "/*/b"]);
  assert.deepEqual(index.near(["x", "**"]).map(({ value }) => value), ["/*/b"]);
});
