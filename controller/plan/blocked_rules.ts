import type { Rule } from "../../store/route_snapshot.ts";
import { formatPattern, parsePattern } from "../../store/path_pattern.ts";
import type { ObjectName, RawObject } from "../cluster_state.ts";

/** What stands in for the rules of an invalid X402Route of which no valid form is known. */
export interface BlockedRules {
  readonly rules: readonly Rule[];
  /** For the rules that could have been about any path. */
  readonly catchAll?: Rule;
}

/**
 * Blocks everything that the rules could have priced, so that a typing error never opens a paid
 * path. The catch-all comes after the rules of every other X402Route, so that an invalid one never
 * takes a valid one down.
 *
 *     what can be read of a rule                   | becomes
 *     pattern, free: true, methods (or none)       | free, as written
 *     pattern                                      | blocked
 *     nothing, or the rules are not a list         | the catch-all
 */
export function blockedRules(raw: RawObject, route: ObjectName, reason: string): BlockedRules {
  const access = { kind: "blocked" as const, reason };
  const routes = field(raw.spec, "routes");
  const readings = Array.isArray(routes) ? routes.map((rule) => readRule(rule)) : [undefined];
  const rules = readings.filter((reading) => reading !== undefined)
    .map(({ free, ...rule }): Rule => ({
      ...rule,
      route,
      access: free ? { kind: "free" } : access,
    }));
  return readings.includes(undefined)
    ? { rules, catchAll: { pattern: "/**", route, access } }
    : { rules };
}

function readRule(
  rule: unknown,
): Pick<Rule, "pattern" | "methods"> & { free: boolean } | undefined {
  const pattern = readPattern(field(rule, "path"));
  if (pattern === undefined) return undefined;
  const methods = readMethods(field(rule, "methods"));
  // Unreadable methods could have been any: blocked for all, but not free for all.
  return methods === "unreadable"
    ? { pattern, free: false }
    : { pattern, ...(methods !== "all" && { methods }), free: field(rule, "free") === true };
}

/** The Ingress that an X402Route names, if that much can be read of it. */
export function readIngressRef(raw: RawObject): ObjectName | undefined {
  const ref = field(raw.spec, "ingressRef");
  const name = field(ref, "name");
  const namespace = field(ref, "namespace") ?? raw.metadata.namespace;
  return typeof name === "string" && typeof namespace === "string"
    ? { namespace, name }
    : undefined;
}

/** `spec.ingressRef.mode`, whatever it is. */
export function readMode(raw: RawObject): unknown {
  return field(field(raw.spec, "ingressRef"), "mode");
}

function readPattern(path: unknown): string | undefined {
  const parsed = typeof path === "string" ? parsePattern(path) : undefined;
  return parsed !== undefined && "pattern" in parsed ? formatPattern(parsed.pattern) : undefined;
}

function readMethods(methods: unknown): readonly string[] | "all" | "unreadable" {
  if (methods === undefined) return "all";
  const readable = Array.isArray(methods) && methods.length > 0 &&
    methods.every((method) => typeof method === "string" && /^[A-Z]+$/.test(method));
  return readable ? [...methods].sort() : "unreadable";
}

function field(object: unknown, name: string): unknown {
  return typeof object === "object" && object !== null
    ? (object as Record<string, unknown>)[name]
    : undefined;
}
