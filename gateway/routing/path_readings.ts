import { Failure } from "../failures.ts";
import { normalizePercentEncoding, pathSegments } from "../../store/path_pattern.ts";
import { encodeUnsafe } from "./canonical_path.ts";

/** More than any honest path has (five ways to read make 32); a bound on what a request can cost. */
const maxReadings = 64;
const none: readonly (readonly string[])[] = Object.freeze([]);

/**
 * Every other way in which a backend may read a canonical path: with percent-encodings decoded
 * (again), without `;parameters`, with slashes merged, with `%5C` as a slash, with the dot segments
 * that appear resolved, and every combination. Servers differ in all five, so a path whose readings
 * fall under different rules must not be served. Empty for a path that can be read in one way only.
 * @throws {Failure} `ambiguous_path` when there are more than 64 readings
 */
export function pathReadings(path: string): readonly (readonly string[])[] {
  if (!/[%;]|\/\//.test(path)) return none;
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
  decodeOnce,
  (path) => path.replace(/;[^/]*/g, ""),
  (path) => path.replace(/\/{2,}/g, "/"),
  (path) => path.replaceAll("%5C", "/"),
  resolveDots,
];

function decodeOnce(path: string): string {
  const decoded = path.replace(/(?:%[0-9A-F]{2})+/g, (run) => {
    try {
      return decodeURIComponent(run);
    } catch {
      return run; // a second decoding finds bytes that are not UTF-8: no server gets further
    }
  });
  return normalizePercentEncoding(encodeUnsafe(decoded.replace(/%(?![0-9A-Fa-f]{2})/g, "%25")));
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
