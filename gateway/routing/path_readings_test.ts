import assert from "node:assert/strict";
import fc from "fast-check";
import { canonicalPath } from "./canonical_path.ts";
import { pathSegments } from "../../store/path_pattern.ts";
import { pathReadings } from "./path_readings.ts";

Deno.test("segments: one trailing slash is ignored", () => {
  assert.deepEqual(["/", "/a", "/a/b/", "//", "/a//"].map(pathSegments), [
    [],
    ["a"],
    ["a", "b"],
    [""],
    ["a", ""],
  ]);
});

function readings(path: string): string[] {
  return pathReadings(path).map((segments) => "/" + segments.join("/")).sort();
}

Deno.test("the other ways to read a path", () => {
  const cases: [path: string, readings: string[]][] = [
    ["/a/b", []],
    ["/a/b/", []],
    // One spelling only: nobody sends a raw space, and é is not decoded into something else.
    ["/a%20b%C3%A9", []],
    ["/100%25", []],
    ["/a%0Ab", ["/a"]],
    ["/a%20", ["/a"]],
    ["/a./b", ["/a/b"]],
    ["/a%2F%2570", ["/a/%2570", "/a/p"]],
    ["/a%40b", ["/a@b"]],
    ["/a%2Fb", ["/a/b"]],
    ["/a;x=1/b", ["/a/b"]],
    ["/a//b", ["/a/b"]],
    ["/a%5Cb", ["/a/b"]],
    ["/a%3Bx", ["/a", "/a;x"]],
    ["/%2561dmin", ["/admin"]],
    ["/a/..;/b", ["/a/../b", "/b"]],
    ["/a/%252e%252e/b", ["/a/../b", "/b"]],
    ["/a%2F..%2Fb", ["/a/../b", "/b"]],
    ["/a/..%5Cb", ["/a/../b", "/b"]],
    ["/a%2F;x//b", [
      "/a%2F/b",
      "/a%2F//b",
      "/a%2F;x/b",
      "/a///b",
      "/a//b",
      "/a/;x//b",
      "/a/;x/b",
      "/a/b",
    ]],
  ];
  for (const [path, expected] of cases) {
    assert.equal(canonicalPath(path), path);
    assert.deepEqual(readings(path), expected.toSorted(), path);
  }
});

Deno.test("endless encoding layers are refused, not followed", () => {
  assert.throws(() => pathReadings("/%25" + "25".repeat(200) + "2F"), {
    code: "ambiguous_path",
  });
});

/** Without empty segments: the trailing slash of a reading, which is ignored, is not known here. */
function merged(segments: readonly string[]): string {
  return "/" + segments.filter((segment) => segment !== "").join("/");
}

const doubtful = fc.array(
  fc.constantFrom("a", "/", "//", ";x", "%2F", "%5C", "%252F", "%2525", "%252e", "..;", "%3B", "b"),
  { maxLength: 6 },
).map((parts) => "/" + parts.join(""));

Deno.test("readings are closed: reading a reading finds nothing new", () => {
  fc.assert(fc.property(doubtful, (raw) => {
    let all: readonly (readonly string[])[];
    try {
      all = pathReadings(canonicalPath(raw));
    } catch {
      return; // refused: dot segments, or too many readings
    }
    const everything = [...all, pathSegments(canonicalPath(raw))];
    const distinct = new Set(everything.map((segments) => JSON.stringify(segments)));
    assert.equal(distinct.size, everything.length, "no reading occurs twice");
    const known = new Set(everything.map(merged));
    for (const reading of all) {
      for (const again of pathReadings(merged(reading))) {
        assert.ok(known.has(merged(again)), `${raw} -> ${reading} -> ${again}`);
      }
    }
  }));
});
