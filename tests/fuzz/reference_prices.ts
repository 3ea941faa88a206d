/** What a request costs, decided by regular expressions made of the rules. */
import { fuzzHosts, type FuzzPath, type FuzzRule } from "./routes.ts";

export type Price = "free" | "pay" | "blocked";

export interface PricedRequest {
  /** As a parser finds it in Host: lower case, without port. */
  readonly host: string;
  /** In any reading: percent-encodings may be decoded, one character a byte. */
  readonly path: string;
  readonly method: string;
  /** The value of a header by its lower-case name. */
  readonly valueOf: (header: string) => string | undefined;
}

/** Undefined where no route serves it; a backend that is asked nevertheless knows no price. */
export function priceOf(request: PricedRequest): Price | undefined {
  const entry = pathOf(pathsOf(request.host), request.path);
  if (entry === undefined) return undefined;
  const rule = entry.rules.find((rule) => fits(rule, request));
  if (rule === undefined || rule.access === "free") return "free";
  if (rule.access === "blocked") return "blocked";
  return conditionally(rule, request);
}

function pathsOf(host: string): readonly FuzzPath[] {
  const wildcard = host.replace(/^[^.]+/, "*");
  const known = [host, wildcard, ""].find((name) => Object.hasOwn(fuzzHosts, name))!;
  return fuzzHosts[known]!;
}

function pathOf(paths: readonly FuzzPath[], path: string): FuzzPath | undefined {
  const exact = paths.find((entry) => entry.exact && entry.path === path);
  const slashed = path.replace(/\/*$/, "/");
  const prefixes = paths.filter((entry) =>
    !entry.exact && slashed.startsWith(entry.path.replace(/\/*$/, "/"))
  );
  return exact ?? prefixes.sort((a, b) => b.path.length - a.path.length)[0];
}

const patterns = new Map<string, RegExp>();

function fits({ pattern, methods }: FuzzRule, { path, method }: PricedRequest): boolean {
  const priced = method === "HEAD" ? "GET" : method;
  if (methods !== undefined && !methods.includes(priced)) return false;
  let expression = patterns.get(pattern);
  if (expression === undefined) patterns.set(pattern, expression = expressionOf(pattern));
  return expression.test(path);
}

function expressionOf(pattern: string): RegExp {
  const segments = pattern.split("/").slice(1).map((segment) => {
    if (segment === "**") return "(?:/[^/]*)*";
    if (segment === "*") return "/[^/]*";
    const decoded = segment.replace(
      /%(..)/g,
      (_, hex) => String.fromCharCode(parseInt(hex, 16)),
    );
    return `/(?:${escape(segment)}|${escape(decoded)})`;
  });
  return new RegExp(`^${segments.join("")}/?$`, "s");
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function conditionally(rule: FuzzRule, { valueOf }: PricedRequest): Price {
  for (const { header, pattern, action } of rule.conditions ?? []) {
    // Nobody in these tests is a proxy that may say where a request comes from.
    if (/^(?:forwarded|x-real-ip|x-forwarded-.*)$/.test(header)) continue;
    const value = valueOf(header);
    if (value !== undefined && new RegExp(pattern).test(value)) return action;
  }
  return rule.otherwise ?? "pay";
}
