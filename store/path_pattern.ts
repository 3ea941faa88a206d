/**
 * Path patterns: `*` is exactly one segment, `**` zero or more, anywhere in the pattern; any other
 * segment stands for itself. One trailing slash of a pattern or path is ignored.
 *
 * A pattern is the array of its segments; `/` is the empty array.
 */
export type PathPattern = readonly string[];

/** More `**` than that are a mistake. */
const maxGlobstars = 4;

/** Characters. `covers` and `intersects` recurse once a segment. */
const maxPatternLength = 1024;

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
  const pattern = pathSegments(decodeEscapes(text, literal));
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

/** RFC 3986, section 6.2.2: unreserved characters decoded, upper case hex. */
export function normalizePercentEncoding(text: string): string {
  return decodeEscapes(text, /[A-Za-z0-9\-._~]/);
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
  if (differInLiterals(a, b)) return false; // Most pairs of rules do, and it costs nothing to see.
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

/** Whether some path is matched by both patterns. Exact; takes the product of the lengths at most. */
export function intersects(a: PathPattern, b: PathPattern): boolean {
  return memoized(a.length, b.length, (i, j, meet) => {
    const x = a[i], y = b[j];
    if (x === undefined && y === undefined) return true;
    if (x === "**") return meet(i + 1, j) || (y !== undefined && meet(i, j + 1));
    if (y === "**") return meet(i, j + 1) || (x !== undefined && meet(i + 1, j));
    if (x === undefined || y === undefined) return false;
    return (x === y || x === "*" || y === "*") && meet(i + 1, j + 1);
  });
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
