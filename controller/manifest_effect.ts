import type { ManifestPlan } from "./manifest_plan.ts";

/**
 * What of a plan is not the same in `before`, the plan without the manifests; besides all writes, and
 * what is told about the cluster as a whole.
 */
export function manifestEffect(before: ManifestPlan, after: ManifestPlan): ManifestPlan {
  const ingresses = others(before.preview.ingresses, after.preview.ingresses);
  const routes = others(before.preview.routes, after.preview.routes);
  const known = new Set(before.diagnostics.map((each) => JSON.stringify(each)));
  return {
    preview: {
      ...after.preview,
      ingresses,
      routes,
      unchanged: {
        ingresses: after.preview.ingresses.length - ingresses.length,
        routes: after.preview.routes.length - routes.length,
      },
    },
    // Those of the manifests name a file, and are never among the known ones.
    diagnostics: after.diagnostics.filter((each) =>
      each.object === undefined || !known.has(JSON.stringify(each))
    ),
  };
}

function others<T>(before: readonly T[], after: readonly T[]): T[] {
  const known = new Set(before.map((each) => JSON.stringify(each)));
  return after.filter((each) => !known.has(JSON.stringify(each)));
}
