import assert from "node:assert/strict";
import fc from "fast-check";
import {
  covers,
  formatPattern,
  intersects,
  literalSegments,
  matchesPattern,
  normalizePercentEncoding,
  parsePattern,
  pathSegments,
} from "./path_pattern.ts";

const matching: readonly [pattern: string, matched: string[], others: string[]][] = [
  ["/", ["/"], ["/a"]],
  ["/health", ["/health", "/health/"], ["/", "/healthz", "/health/a", "/Health"]],
  ["/health/", ["/health", "/health/"], ["/health/a"]],
  ["/api/*", ["/api/a", "/api/a/"], ["/api", "/api/", "/api/a/b"]],
  ["/docs/**", ["/docs", "/docs/", "/docs/a", "/docs/a/b/c"], ["/doc", "/docsx"]],
  ["/**", ["/", "/a", "/a/b"], []],
  ["/*/b", ["/a/b", "/b/b"], ["/b", "/a/a/b"]],
  ["/a/**/z", ["/a/z", "/a/b/z", "/a/b/z/z"], ["/a", "/z", "/a/z/b"]],
  ["/**/*/a", ["/b/a", "/c/b/a"], ["/a", "/a/b"]],
];
for (const [pattern, matched, others] of matching) {
  Deno.test(`${pattern} matches ${matched.join(" ")} and not ${others.join(" ")}`, () => {
    for (const path of matched) {
      assert.ok(matchesPattern(parsed(pattern), pathSegments(path)), path);
    }
    for (const path of others) {
      assert.ok(!matchesPattern(parsed(pattern), pathSegments(path)), path);
    }
  });
}

const normalized: readonly [text: string, canonical: string][] = [
  ["/docs/", "/docs"],
  ["/%7euser/%41", "/~user/A"],
  ["/caf%c3%a9/%25", "/caf%C3%A9/%25"],
  ["/a%3Ab%7c%5B%5d/a|b^c", "/a:b|[]/a|b^c"],
];
Deno.test("percent-encodings and the trailing slash of a pattern are normalized", () => {
  for (const [text, canonical] of normalized) assert.equal(formatPattern(parsed(text)), canonical);
});

const refused: readonly [text: string, problem: string][] = [
  ["api", '"api" does not start with "/"'],
  ["", '"" does not start with "/"'],
  ["/" + "a".repeat(1024), "it has 1025 characters; at most 1024 are allowed"],
  ["/a".repeat(65), "it has 65 segments; at most 64 are allowed"],
  ["/a?b=1", '"/a?b=1" has a query or fragment; a pattern matches the path only'],
  ["/a#b", '"/a#b" has a query or fragment; a pattern matches the path only'],
  ["/a b", '"/a b" contains " ", which no URL path has; write it as %20'],
  ["/café", '"/café" contains "é", which no URL path has; write it as %C3%A9'],
  ["/😀", '"/😀" contains "😀", which no URL path has; write it as %F0%9F%98%80'],
  ["/\ud800", '"/\\ud800" contains "\\ud800", which no URL path has'],
  ["/50%", '"/50%" has a "%" without two hexadecimal digits; write it as %25'],
  ["/a%2fb", '"/a%2fb" has %2f, which backends read in different ways'],
  ["/a%5Cb", '"/a%5Cb" has %5C, which backends read in different ways'],
  ["/%2A", '"/%2A" has %2A, which backends read in different ways'],
  ["/a//b", '"/a//b" has an empty segment; write a single "/" between segments'],
  ["//", '"//" has an empty segment; write a single "/" between segments'],
  ["/a/../b", '"/a/../b" has the segment "..", which no canonical path has'],
  ["/a/%2e", '"/a/%2e" has the segment ".", which no canonical path has'],
  ["/a*", '"/a*" has the segment "a*"; a star stands for a whole segment, "*" or "**"'],
  ["/***", '"/***" has the segment "***"; a star stands for a whole segment, "*" or "**"'],
  ["/**/**/**/**/**", '"/**/**/**/**/**" has more than 4 "**" segments'],
];
for (const [text, problem] of refused) {
  Deno.test(`the pattern ${JSON.stringify(text)} is refused`, () => {
    assert.deepEqual(parsePattern(text), { problem });
  });
}

// Literals a and b occur in patterns; c stands for all segments that occur in none.
const segment = fc.constantFrom("a", "b", "*", "**");
const pattern = fc.array(segment, { maxLength: 5 })
  .filter((segments) => segments.filter((s) => s === "**").length <= 3);

// All paths of up to eight segments: "/**/b/a/a/a" and "/a/a/a/a/**" meet in none that is shorter.
const paths = enumerate(["a", "b", "c"], 8);

function enumerate(alphabet: readonly string[], depth: number): readonly string[][] {
  const all: string[][] = [[]];
  for (let at = 0; all[at]!.length < depth; at++) {
    for (const letter of alphabet) all.push([...all[at]!, letter]);
  }
  return all;
}

Deno.test("covers is what enumeration of all paths says", () => {
  fc.assert(
    fc.property(pattern, pattern, (a, b) => {
      const expected = paths.every((p) => !matchesPattern(b, p) || matchesPattern(a, p));
      assert.equal(covers(a, b), expected, `${formatPattern(a)} covers ${formatPattern(b)}`);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("intersects is what enumeration of all paths says", () => {
  fc.assert(
    fc.property(pattern, pattern, (a, b) => {
      const expected = paths.some((p) => matchesPattern(a, p) && matchesPattern(b, p));
      assert.equal(intersects(a, b), expected, `${formatPattern(a)} meets ${formatPattern(b)}`);
    }),
    { numRuns: 2000 },
  );
});

const covering: readonly [a: string, b: string, covered: boolean][] = [
  ["/**/*", "/*/**", true],
  ["/*/**", "/**/*", true],
  ["/**/a/**", "/**/a/**/a", true],
  ["/**/a/*/**", "/a/**/a/*", true],
  ["/*", "/**", false],
  ["/a", "/*", false],
  ["/**/a", "/a/**", false],
];
Deno.test("covers sees through wildcards in different order", () => {
  for (const [a, b, covered] of covering) {
    assert.equal(covers(parsed(a), parsed(b)), covered, `${a} covers ${b}`);
  }
});

Deno.test("covers and intersects are quick on the longest hostile patterns", () => {
  const a = parsed("/a".repeat(64));
  const b = parsed(`/**${"/a".repeat(61)}/b/**`);
  const c = parsed(`/**/a${"/*".repeat(60)}/a/**`);
  const path = [...Array(512).fill("a"), "c", "**"];
  const started = performance.now();
  for (const x of [a, b, c]) {
    for (const y of [a, b, c, path, path.slice(0, -1)]) {
      for (let round = 0; round < 20; round++) {
        covers(x, y);
        intersects(x, y);
      }
    }
  }
  assert.ok(performance.now() - started < 1000);
});

const spellings: readonly [text: string, normalized: string, literal: string][] = [
  ["/café", "/caf%C3%A9", "/caf%C3%A9"],
  ["/caf%c3%a9", "/caf%C3%A9", "/caf%C3%A9"],
  ["/a b{c}", "/a%20b%7Bc%7D", "/a%20b%7Bc%7D"],
  ["/%7e/a%3Ab", "/~/a%3Ab", "/~/a:b"],
  ["/\ud800", "/%EF%BF%BD", "/%EF%BF%BD"],
  ["/100%", "/100%", "/100%"],
];
Deno.test("paths are spelled as requests and patterns spell them", () => {
  for (const [text, normalized, literal] of spellings) {
    assert.equal(normalizePercentEncoding(text), normalized);
    assert.equal(formatPattern(literalSegments(text)), literal);
  }
});

function parsed(text: string): readonly string[] {
  const result = parsePattern(text);
  assert.ok("pattern" in result, JSON.stringify(result));
  return result.pattern;
}
