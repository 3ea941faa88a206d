import fc from "fast-check";
import { pathSegments } from "../store/path_pattern.ts";

export interface PathEntry {
  host: string;
  path: string;
  pathType: "Exact" | "Prefix";
  service: string;
}
export interface RuleEntry {
  path: string;
  free: boolean;
}
/** What happens to the Ingress; numbers choose one of its paths. */
export type Edit =
  | { kind: "add"; entry: PathEntry }
  | { kind: "remove" | "change-backend" | "rename"; at: number; entry: PathEntry }
  | { kind: "apply" | "replace" | "restart" | "rename-gateway" };

const path = fc.constantFrom("/", "/a", "/b", "/a/a", "/a/b", "/b/a");
const entry: fc.Arbitrary<PathEntry> = fc.record({
  host: fc.constantFrom("", "one.example.com", "two.example.com"),
  path,
  pathType: fc.constantFrom("Exact" as const, "Prefix" as const),
  service: fc.constantFrom("api", "api-v2", "static"),
});
const rule: fc.Arbitrary<RuleEntry> = fc.record({
  path: fc.constantFrom("/**", "/a", "/a/**", "/b/*", "/*/a", "/**/b"),
  free: fc.boolean(),
});
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), entry }),
  fc.record({
    kind: fc.constantFrom("remove" as const, "change-backend" as const, "rename" as const),
    at: fc.nat(20),
    entry,
  }),
  fc.record({
    kind: fc.constantFrom(
      "apply" as const,
      "replace" as const,
      "restart" as const,
      "rename-gateway" as const,
    ),
  }),
);
/** An Ingress, the rules of its X402Routes, and what happens then. */
export const scenario = fc.record({
  namespace: fc.constantFrom("shop", "x402"),
  entries: fc.uniqueArray(entry, { selector: placeOf, minLength: 1, maxLength: 6 }),
  defaultService: fc.option(fc.constantFrom("api", "static"), { nil: undefined }),
  annotations: fc.constantFrom(undefined, { team: "shop" }),
  routes: fc.array(fc.array(rule, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
  edits: fc.array(edit, { maxLength: 8 }),
  /** At the moment when the X402Routes are deleted. */
  last: edit,
});

/** Unlike that of any other path of the Ingress. */
export function placeOf(
  { host, path, pathType }: Pick<PathEntry, "host" | "path"> & { pathType: string },
): string {
  return `${host} ${pathType} ${path}`;
}

export function backendOf(name: string) {
  return { service: { name, port: { number: 80 } } };
}

/** Requests of the place, up to two segments longer than its path. */
export function requestsOf({ path, pathType }: PathEntry): string[][] {
  const base = pathSegments(path);
  if (pathType === "Exact") return [base];
  const segments = ["a", "b", "c"];
  const longer = segments.flatMap((one) => [[one], ...segments.map((two) => [one, two])]);
  return [base, ...longer.map((more) => [...base, ...more])];
}
