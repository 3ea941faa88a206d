import { Failure } from "../failures.ts";
import { normalizePercentEncoding, pathSegments } from "../../store/path_pattern.ts";
import { encodeUnsafe } from "./canonical_path.ts";

/** More than any honest path has; a bound on what a request can cost. */
const maxReadings = 128;
const none: readonly (readonly string[])[] = Object.freeze([]);

/**
 * Every other way in which a backend may read a canonical path: with percent-encodings decoded
 * (again), without `;parameters`, with slashes merged, with `%5C` as a slash, with the dot segments
 * that appear resolved, as a reference to another host, cut at what may become a query, a fragment or
 * a line end, without white space and dots at the ends of segments, and every combination. Servers differ in all of them, so a path whose readings
 * fall under different rules must not be served. Empty for a path that can be read in one way only.
 * @throws {Failure} `ambiguous_path` when there are more than 128 readings
 */
export function pathReadings(path: string): readonly (readonly string[])[] {
  if (!/[%;]|\/\/|\.(?:\/|$)/.test(path)) return none;
  const readings = new Set([path]);
  // A Set hands out what is added during the iteration, so this ends when nothing new appears.
  for (const reading of readings) {
    for (const reread of rereadings) readings.add(reread(reading));
    if (readings.size > maxReadings) {
      throw new Failure("ambiguous_path", `the path has more than ${maxReadings} readings`);
    }
  }
  if (readings.size === 1) return none;
  const distinct = new Set([...readings].map((reading) => reading.replace(/\/?$/, "/")));
  return [...distinct].slice(1).map(pathSegments);
}

/** Each takes and gives a path in the canonical spelling, except that dot segments may appear. */
const rereadings: readonly ((path: string) => string)[] = [
  (path) => decodeOnce(path, "all"),
  // What a single decoding leaves encoded is another name than what it stands for.
  (path) => decodeOnce(path, "but percent signs"),
  // Two bytes or `%u00` for what needs one byte: nobody may send it, but it may appear.
  (path) => path.replace(/%C([01])%([89AB][0-9A-F])/g, overlong),
  (path) => path.replace(/%25u00([0-7][0-9A-F])/gi, (_, hex) => `%${hex.toUpperCase()}`),
  (path) => path.replace(/;[^/]*/g, ""),
  (path) => path.replace(/\/{2,}/g, "/"),
  (path) => path.replaceAll("%5C", "/"),
  // `//host/path` is a reference to another host (RFC 3986, 4.2) for `new URL(path, base)`.
  (path) => path.replace(/^\/\/[^/]*/, "") || "/",
  // A hop that decodes and parses again finds a query or a fragment.
  (path) => path.replace(/%(?:3F|23).*$/, "") || "/",
  (path) => path.replace(/%0[AD].*$/, "") || "/",
  // Windows takes `a. ` for `a`, and frameworks trim.
  (path) =>
    path.replace(/([^/])(?:\.|%20|%09)+(?=\/|$)/g, (all, first) => first === "." ? all : first),
  (path) =>
    path.replace(/^\/(?:%20|%09)+|(?:%20|%09)+$/g, (space) => space.startsWith("/") ? "/" : ""),
  resolveDots,
];

/**
 * Byte by byte, as servers do that care for UTF-8 later or never. Other bytes than ASCII keep their
 * encoding, in which patterns have them too.
 */
function decodeOnce(path: string, what: "all" | "but percent signs"): string {
  const decoded = path.replace(/%([0-7][0-9A-F])/g, (escape, hex) => {
    if (hex === "25" && what === "but percent signs") return escape;
    // What comes after a NUL is cut off by some and kept by others.
    if (hex === "00") throw new Failure("ambiguous_path", "a NUL byte appears when decoded");
    return String.fromCharCode(parseInt(hex, 16));
  });
  return normalizePercentEncoding(encodeUnsafe(decoded.replace(/%(?![0-9A-Fa-f]{2})/g, "%25")));
}

function overlong(_: string, high: string, low: string): string {
  const code = Number(high) << 6 | parseInt(low, 16) & 0x3f;
  return encodeUnsafe(String.fromCharCode(code));
}

function resolveDots(path: string): string {
  if (!path.includes("/.")) return path;
  const resolved: string[] = [];
  const segments = path.split("/").slice(1);
  for (const segment of segments) {
    if (segment === "..") resolved.pop();
    else if (segment !== ".") resolved.push(segment);
  }
  return "/" + resolved.join("/");
}
