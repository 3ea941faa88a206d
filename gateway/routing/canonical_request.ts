import { isIPv6 } from "node:net";
import { Failure } from "../failures.ts";
import type { ReadableFields } from "../http1/header_fields.ts";
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

/** A 402 repeats the query, encoded, in its header and its body. */
const maxQueryLength = 8 * 1024;
/** Groups: host name without the root's dot, IPv6 address, port. */
const hostAndPort =
  /^(?:([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)\.?|\[([0-9A-Fa-f:.]+)\])(?::(\d{1,5}))?$/;

/**
 * Reads where a request wants to go from its request-target and its Host, which has to be there once.
 * @throws {Failure} `invalid_host`, `invalid_path`, `uri_too_long`
 */
export function canonicalRequest(
  { target, headers }: { readonly target: string; readonly headers: ReadableFields },
): CanonicalTarget {
  const authority = headers.get("host") ?? "";
  const host = checkedHost(authority);
  if (target.includes("#")) throw new Failure("invalid_path", "the request target has a fragment");
  const rest = target.startsWith("/") ? target : originForm(target, authority);
  const mark = rest.indexOf("?");
  if (mark >= 0 && rest.length - mark > maxQueryLength) {
    throw new Failure("uri_too_long", `the query has ${rest.length - mark} characters`);
  }
  const path = canonicalPath(mark < 0 ? rest : rest.slice(0, mark));
  return {
    host,
    authority,
    path,
    query: mark < 0 ? "" : canonicalQuery(rest.slice(mark)),
    segments: pathSegments(path),
    readings: pathReadings(path),
  };
}

/** A target in absolute form (RFC 9112, 3.2.2) without its beginning, which must not contradict Host. */
function originForm(target: string, authority: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(target)?.[0];
  if (scheme === undefined) throw new Failure("invalid_path", "the request target is not a path");
  if (scheme.toLowerCase() !== "http://" || !target.startsWith(authority, scheme.length)) {
    throw new Failure("invalid_host", "the request target does not name the host of the request");
  }
  return target.slice(scheme.length + authority.length);
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
