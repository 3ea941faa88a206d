/**
 * The paths that some server or other makes of a path: what frameworks, servers and file systems
 * are known to do, in every order, because proxies and frameworks stand behind one another.
 */

/** One way to read a path. */
export interface PathReading {
  /** One character a byte, with whatever a decoder has left in it. */
  readonly path: string;
  /** What was done to it, in order. */
  readonly steps: readonly string[];
}

/** Enough for all orders of what one path can have; a bound on the time that a request takes. */
const maxReadings = 400;
/** Decoding a third time is what no chain of servers was seen to do. */
const maxDecodings = 2;

/** @param target path and query as the backend got them */
export function readPath(target: string): PathReading[] {
  const first: PathReading = { path: target.replace(/\?.*$/s, ""), steps: [] };
  const readings = new Map([[first.path, first]]);
  // A Map hands out what is added during the iteration.
  for (const { path, steps } of readings.values()) {
    for (const [name, read] of Object.entries(habits)) {
      if (name === "decoded" && steps.filter((step) => step === name).length >= maxDecodings) {
        continue;
      }
      const next = read(path);
      if (readings.has(next) || readings.size >= maxReadings) continue;
      readings.set(next, { path: next, steps: [...steps, name] });
    }
  }
  return [...readings.values()];
}

/**
 * A client's target as the gateway may hand it on: without the beginning of the absolute form, and for
 * unreserved characters an encoding makes no difference to anybody (RFC 3986, 6.2.2.2).
 */
export function asHandedOn(target: string): string {
  const path = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "");
  return path.replace(/%[0-9a-f]{2}/gi, (escape) => {
    const decoded = character(escape.slice(1));
    return /[a-z0-9._~-]/i.test(decoded) ? decoded : escape;
  });
}

const habits: Readonly<Record<string, (path: string) => string>> = {
  decoded: (path) => path.replace(/%([0-9a-f]{2})/gi, (_, hex) => character(hex)),
  // IIS: %u002f.
  "decoded as UTF-16": (path) => path.replace(/%u00([0-9a-f]{2})/gi, (_, hex) => character(hex)),
  // Decoders that do not check: two and three bytes for what needs one (RFC 3629, 10).
  "overlong decoded": (path) =>
    path.replace(/[\xc0\xc1]([\s\S])|\xe0([\s\S])([\s\S])/g, (bytes, second, _, third) => {
      const high = second === undefined ? bytes.charCodeAt(1) : bytes.charCodeAt(0);
      const low = (second ?? third).charCodeAt(0);
      return String.fromCharCode(((high & 0x3f) << 6 | low & 0x3f) & 0x7f);
    }),
  // Java servlets (`;jsessionid=`), RFC 3986, 3.3.
  "without parameters": (path) => path.replace(/;[^/]*/g, ""),
  "slashes merged": (path) => path.replace(/\/{2,}/g, "/"),
  // Windows, and `new URL`.
  "backslash as slash": (path) => path.replaceAll("\\", "/"),
  "dots resolved": resolveDots,
  // `new URL("//host/path", base)`, PHP's parse_url.
  "host in front": (path) => path.replace(/^\/\/[^/]*/, "") || "/",
  "scheme and host in front": (path) => path.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, "") || "/",
  // Whoever decodes and then parses again.
  "cut at query": (path) => path.replace(/\?.*$/s, ""),
  "cut at fragment": (path) => path.replace(/#.*$/s, ""),
  "cut at NUL": (path) => path.replace(/\0.*$/s, ""),
  "without NUL": (path) => path.replaceAll("\0", ""),
  "cut at line end": (path) => path.replace(/[\r\n].*$/s, ""),
  // Windows file names; frameworks that trim.
  "ends of segments trimmed": (path) =>
    path.replace(/([^/])[. \t]+(?=\/|$)/g, (all, before) => before === "." ? all : before),
  "white space around": (path) => path.replace(/^[^\S\xa0]+|[^\S\xa0]+$/g, ""),
  "one trailing slash more or less": (path) => path.endsWith("/") ? path.slice(0, -1) : path,
  "slash in front": (path) => /^\/|^[a-z][a-z0-9+.-]*:\//i.test(path) ? path : "/" + path,
};

function character(hex: string): string {
  return String.fromCharCode(parseInt(hex, 16));
}

function resolveDots(path: string): string {
  if (!/\/\.{1,2}(?:\/|$)/.test(path)) return path;
  const kept: string[] = [];
  const segments = path.split("/").slice(1);
  for (const segment of segments) {
    if (segment === "..") kept.pop();
    else if (segment !== ".") kept.push(segment);
  }
  const isFolder = /\/\.{1,2}$/.test(path) && kept.length > 0;
  return "/" + kept.join("/") + (isFolder ? "/" : "");
}
