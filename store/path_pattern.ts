/**
 * Path patterns: `*` is exactly one segment, `**` zero or more, anywhere in the pattern; any other
 * segment stands for itself. One trailing slash of a pattern or path is ignored.
 *
 * A pattern is the array of its segments; `/` is the empty array.
 */
export type PathPattern = readonly string[];

/** More `**` than that are a mistake. */
const maxGlobstars = 4;

/** Characters. */
const maxPatternLength = 1024;

/** Every pattern is compared with every path of its Ingress, in time that grows with both. */
export const maxPatternSegments = 64;

/** What canonical paths have unencoded: pchar of RFC 3986, section 3.3, and what browsers leave. */
const literal = /[A-Za-z0-9\-._~!$&'()*+,;=:@[\]^|]/;
const notPathCharacter = /[^A-Za-z0-9\-._~!$&'()*+,;=:@[\]^|%/]/u;

/** Segments of a path or pattern: leading slash dropped, one trailing slash ignored. */
export function pathSegments(path: string): string[] {
  const trimmed = path.endsWith("/") ? path.slice(0, -1) : path;
  return trimmed.split("/").slice(1);
}

/** The pattern as text, without a trailing slash: `/api/*`. */
export function formatPattern(pattern: PathPattern): string {
  return "/" + pattern.join("/");
}

/**
 * Reads a pattern. What can stand unencoded is decoded: a backend takes `/a:b` and `/a%3Ab` for the
 * same, and the gateway refuses the encoded request as ambiguous, so the rule has to be about the
 * other. What could never match a canonical path is a problem, because the author surely meant
 * something else.
 */
export function parsePattern(text: string): { pattern: PathPattern } | { problem: string } {
  if (text.length > maxPatternLength) {
    const problem = `it has ${text.length} characters; at most ${maxPatternLength} are allowed`;
    return { problem };
  }
  if (!text.startsWith("/")) return { problem: `${quote(text)} does not start with "/"` };
  if (/[?#]/.test(text)) {
    return { problem: `${quote(text)} has a query or fragment; a pattern matches the path only` };
  }
  const bad = notPathCharacter.exec(text)?.[0];
  if (bad !== undefined) {
    const encoded = bad.isWellFormed() ? `; write it as ${encodeURIComponent(bad)}` : "";
    return { problem: `${quote(text)} contains ${quote(bad)}, which no URL path has${encoded}` };
  }
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) {
    return { problem: `${quote(text)} has a "%" without two hexadecimal digits; write it as %25` };
  }
  const ambiguous = /%(2A|2F|5C)/i.exec(text)?.[0];
  if (ambiguous !== undefined) {
    return { problem: `${quote(text)} has ${ambiguous}, which backends read in different ways` };
  }
  const pattern = literalSegments(text);
  if (pattern.length > maxPatternSegments) {
    const problem = `it has ${pattern.length} segments; at most ${maxPatternSegments} are allowed`;
    return { problem };
  }
  for (const segment of pattern) {
    const reason = segmentProblem(segment);
    if (reason !== undefined) return { problem: `${quote(text)} has ${reason}` };
  }
  if (pattern.filter((segment) => segment === "**").length > maxGlobstars) {
    return { problem: `${quote(text)} has more than ${maxGlobstars} "**" segments` };
  }
  return { pattern };
}

function segmentProblem(segment: string): string | undefined {
  if (segment === "") return 'an empty segment; write a single "/" between segments';
  if (segment === "." || segment === "..") {
    return `the segment "${segment}", which no canonical path has`;
  }
  if (segment.includes("*") && segment !== "*" && segment !== "**") {
    return `the segment ${quote(segment)}; a star stands for a whole segment, "*" or "**"`;
  }
  return undefined;
}

/**
 * The spelling that requests have: characters that no URL path has encoded (UTF-8), and RFC 3986,
 * section 6.2.2: unreserved characters decoded, upper case hex.
 */
export function normalizePercentEncoding(text: string): string {
  return decodeEscapes(encodeOthers(text), /[A-Za-z0-9\-._~]/);
}

/** Segments of a path as a pattern would spell them, with all decoded that can stand unencoded. */
export function literalSegments(path: string): string[] {
  return pathSegments(decodeEscapes(encodeOthers(path), literal));
}

/** What no URL path has unencoded, percent signs apart. */
function encodeOthers(text: string): string {
  return text.toWellFormed().replace(/[^A-Za-z0-9\-._~!$&'()*+,;=:@[\]^|%/]+/g, encodeURIComponent);
}

/** Decodes the escapes of characters that `decoded` matches; upper case hex in the others. */
function decodeEscapes(text: string, decoded: RegExp): string {
  return text.replace(/%[0-9A-Fa-f]{2}/g, (escape) => {
    const character = String.fromCharCode(parseInt(escape.slice(1), 16));
    return decoded.test(character) ? character : escape.toUpperCase();
  });
}

function quote(text: string): string {
  return JSON.stringify(text);
}

/**
 * Whether the pattern matches a path given by its segments: the definition, written down as it is
 * told. The gateway matches all rules at once in a trie instead, and is tested against this.
 */
export function matchesPattern(pattern: PathPattern, segments: readonly string[]): boolean {
  const [head, ...rest] = pattern;
  if (head === undefined) return segments.length === 0;
  if (head === "**") {
    return matchesPattern(rest, segments) ||
      (segments.length > 0 && matchesPattern(pattern, segments.slice(1)));
  }
  return segments.length > 0 && (head === "*" || head === segments[0]) &&
    matchesPattern(rest, segments.slice(1));
}

/**
 * Whether every path that `b` matches is matched by `a` too. Exact: a wildcard of `b` can stand for
 * a segment that no literal of `a` equals, and what matches that one (a wildcard of `a`) matches
 * every other as well. Segment by segment is enough only because `ordered` makes the same pattern
 * of `**` + `*` and of `*` + `**`. Takes the product of the lengths at most.
 */
export function covers(a: PathPattern, b: PathPattern): boolean {
  // Most pairs of rules differ in some of this, and it costs little to see.
  if (b.includes("**") && !a.includes("**")) return false;
  if (differInLiterals(a, b) || !intersects(a, b)) return false;
  const outer = ordered(a), inner = ordered(b);
  return memoized(outer.length, inner.length, (i, j, cover) => {
    const x = outer[i], y = inner[j];
    if (y === undefined) return x === undefined || (x === "**" && cover(i + 1, j));
    if (x === "**") return cover(i, j + 1) || cover(i + 1, j);
    // One segment against none and against more of them.
    if (y === "**") return x === "*" && cover(i, j + 1) && cover(i + 1, j);
    return (x === "*" || x === y) && cover(i + 1, j + 1);
  });
}

/** Whether `b` leaves the literal segments that `a` begins with. */
function differInLiterals(a: PathPattern, b: PathPattern): boolean {
  for (let place = 0; place < a.length; place++) {
    const segment = a[place];
    if (segment === "*" || segment === "**") return false;
    if (segment !== b[place]) return true;
  }
  return false;
}

/** The same pattern with each run of wildcards in one form: all its `*`, then one `**` if any. */
function ordered(pattern: PathPattern): PathPattern {
  const result: string[] = [];
  let globstar = false;
  for (const segment of pattern) {
    if (segment === "**") globstar = true;
    else {
      if (globstar && segment !== "*") {
        result.push("**");
        globstar = false;
      }
      result.push(segment);
    }
  }
  if (globstar) result.push("**");
  return result;
}

/**
 * Whether some path is matched by both patterns. Exact. What stands before the first `**` and after
 * the last one has to agree; where both have a `**`, that is enough: each takes what the other has
 * in its middle.
 */
export function intersects(a: PathPattern, b: PathPattern): boolean {
  if (!startsMeet(a, b)) return false;
  const [isOpen, isOtherOpen] = [a.includes("**"), b.includes("**")];
  if (isOpen && isOtherOpen) return startsMeet(a.toReversed(), b.toReversed());
  if (isOpen) return fits(a, b);
  return isOtherOpen ? fits(b, a) : a.length === b.length;
}

/** Whether two patterns, `b` from an offset on, agree up to the first `**` or the end of one. */
function startsMeet(a: PathPattern, b: PathPattern, offset = 0): boolean {
  for (let place = 0; place < a.length && offset + place < b.length; place++) {
    const x = a[place], y = b[offset + place];
    if (x === "**" || y === "**") return true;
    if (x !== y && x !== "*" && y !== "*") return false;
  }
  return true;
}

/** Whether a pattern with `**` meets one without, with which it agrees up to its first `**`. */
function fits(pattern: PathPattern, fixed: PathPattern): boolean {
  const [first, ...runs] = betweenGlobstars(pattern);
  const last = runs.pop()!;
  const end = fixed.length - last.length;
  let from = first!.length;
  if (from > end || !startsMeet(last, fixed, end)) return false;
  // The first place that fits leaves most to the runs after it.
  for (const run of runs) {
    while (from + run.length <= end && !startsMeet(run, fixed, from)) from++;
    from += run.length;
  }
  return from <= end;
}

function betweenGlobstars(pattern: PathPattern): string[][] {
  const runs: string[][] = [[]];
  for (const segment of pattern) {
    if (segment === "**") runs.push([]);
    else runs.at(-1)!.push(segment);
  }
  return runs;
}

/** `decide(0, 0)`, asked at most once for each pair of places; `i` and `j` may reach the lengths. */
function memoized(
  rows: number,
  columns: number,
  decide: (i: number, j: number, self: (i: number, j: number) => boolean) => boolean,
): boolean {
  const known: (boolean | undefined)[] = new Array((rows + 1) * (columns + 1));
  const self = (i: number, j: number): boolean =>
    known[i * (columns + 1) + j] ??= decide(i, j, self);
  return self(0, 0);
}
