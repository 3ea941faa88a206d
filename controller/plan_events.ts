import { keyOf } from "./cluster_state.ts";
import type { ManifestError, ManifestEvent } from "./manifest_event.ts";
import type { RouteSource } from "./manifest_set.ts";
import type { FindingKind } from "./plan/finding.ts";
import type { Plan } from "./plan/plan.ts";

/**
 * With any of them, paths that an X402Route charges for may be served for nothing. In a cluster the
 * status tells; the author of a folder is asked to put it right first.
 */
const opensPaths: ReadonlySet<FindingKind> = new Set<FindingKind>([
  "ingress-unreadable",
  "ingress-not-found",
  "ingress-conflict",
  "not-permitted",
]);

/** Why the folder that was planned must not be put in force; nothing if it may. */
export function folderErrors({ statuses }: Plan, routeSource: RouteSource): ManifestError[] {
  return statuses
    .filter(({ problems }) => problems.some(({ kind }) => opensPaths.has(kind)))
    .flatMap(({ problems, ...name }) => {
      const route = keyOf(name);
      const { file, lineOf } = routeSource(route);
      return problems.map(({ path, message }) => ({
        file,
        line: lineOf(path),
        reason: `X402Route ${route}: ${message}`,
      }));
    });
}

/** What is wrong with single X402Routes of a plan that is put in force. */
export function routeEvents({ statuses }: Plan, routeSource: RouteSource): ManifestEvent[] {
  return statuses.flatMap(({ problems, warnings, inForce, ...name }) => {
    const route = keyOf(name);
    const { file, lineOf } = routeSource(route);
    const where = (path: readonly (string | number)[]) => ({ file, line: lineOf(path) });
    return [
      ...problems.map(({ kind, path, message }): ManifestEvent => (
        { type: "route-problem", route, kind, inForce, ...where(path), message }
      )),
      ...warnings.map(({ path, message }): ManifestEvent => (
        { type: "route-warning", route, inForce, ...where(path), message }
      )),
    ];
  });
}
