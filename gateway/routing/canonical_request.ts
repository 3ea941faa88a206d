import { isIPv6 } from "node:net";
import { Failure } from "../failures.ts";
import { canonicalPath } from "./canonical_path.ts";
import { pathSegments } from "../../store/path_pattern.ts";
import { pathReadings } from "./path_readings.ts";

/** Where a request wants to go, in the one form that is matched, paid for and sent. */
export interface CanonicalTarget {
  /** Lower case, without port and trailing dot: `api.example.com`, `[::1]`. For matching. */
  readonly host: string;
  /** The Host as received, checked. */
  readonly authority: string;
  /** Exactly what is matched and what the backend gets. */
  readonly path: string;
  /** `""` or `"?..."`. */
  readonly query: string;
  readonly segments: readonly string[];
  /** Segments of every other way to read the path; empty when there is no doubt. */
  readonly readings: readonly (readonly string[])[];
}

const scheme = "http://";
/** A 402 repeats the query, encoded, in its header and its body. */
const maxQueryLength = 8 * 1024;
/** Groups: host name without the root's dot, IPv6 address, port. */
const hostAndPort =
  /^(?:([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)\.?|\[([0-9A-Fa-f:.]+)\])(?::(\d{1,5}))?$/;

/**
 * Reads the target of a request that `Deno.serve` delivered. Its `req.url` is raw text made of the
 * Host header and the request-target, so `new URL` on it would believe what a client put into Host.
 * @throws {Failure} `invalid_host`, `invalid_path`, `ambiguous_path`
 */
export function canonicalRequest(request: Request): CanonicalTarget {
  const { url } = request;
  const authority = request.headers.get("host") ?? authorityOf(url);
  const host = checkedHost(authority);
  const rest = scheme.length + authority.length;
  // Also refuses an absolute-form target (RFC 9112, 3.2.2) that names another authority than Host.
  if (!url.startsWith(scheme) || !url.startsWith(authority, scheme.length)) {
    throw new Failure("invalid_host", "the request target does not name the host of the request");
  }
  if (url.includes("#")) throw new Failure("invalid_path", "the request target has a fragment");
  const mark = url.indexOf("?", rest);
  if (mark >= 0 && url.length - mark > maxQueryLength) {
    throw new Failure("uri_too_long", `the query has ${url.length - mark} characters`);
  }
  const path = canonicalPath(mark < 0 ? url.slice(rest) : url.slice(rest, mark));
  return {
    host,
    authority,
    path,
    query: mark < 0 ? "" : canonicalQuery(url.slice(mark)),
    segments: pathSegments(path),
    readings: pathReadings(path),
  };
}

/** HTTP/2 has no Host header: `Deno.serve` puts `:authority` into the URL (RFC 9113, 8.3.1). */
function authorityOf(url: string): string {
  const end = url.slice(scheme.length).search(/[/?#]/);
  return url.slice(scheme.length, end < 0 ? undefined : scheme.length + end);
}

function checkedHost(authority: string): string {
  const [, name, v6, port] = hostAndPort.exec(authority) ?? [];
  const known = name !== undefined ? name.length <= 253 : v6 !== undefined && isIPv6(v6);
  if (!known || Number(port ?? 0) > 65535) {
    throw new Failure("invalid_host", "the Host is not a host name or address with a port or none");
  }
  return name !== undefined ? name.toLowerCase() : `[${v6?.toLowerCase()}]`;
}

/** Queries are not matched, only sent: encoded as `fetch` would (WHATWG URL, special-query set). */
function canonicalQuery(query: string): string {
  return query.replace(
    /[^!$-&(-;=?-~]+/g,
    (run) => encodeURIComponent(run).replaceAll("'", "%27"),
  );
}
