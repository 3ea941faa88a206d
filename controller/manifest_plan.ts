import { foresee } from "./apply_writes.ts";
import { missingServices, withAssumedOperator, withAssumedServices } from "./assumed_objects.ts";
import { keyOf } from "./cluster_state.ts";
import type { ClusterReading } from "./cluster/read_cluster.ts";
import { manifestEffect } from "./manifest_effect.ts";
import type { ManifestFile } from "./manifest_file.ts";
import { type Diagnostic, reviewManifests } from "./manifest_review.ts";
import { stateOf } from "./manifest_set.ts";
import { overlay } from "./overlay.ts";
import type { ClusterPlanOptions } from "./plan/plan_options.ts";
import { noMemory } from "./plan/plan.ts";
import { type PlanPreview, planPreview } from "./plan_preview.ts";

/** What comes of manifests, and what is to be told about them. */
export interface ManifestPlan {
  readonly preview: PlanPreview;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Plans manifests by themselves, for a cluster with an operator in it.
 *
 * @param strict whether everything that they name has to be among them; else it is assumed
 */
export function planFiles(
  files: ManifestFile,
  options: ClusterPlanOptions,
  strict: boolean,
): ManifestPlan {
  const written = stateOf(files.objects);
  const missing = strict ? [] : missingServices(written, options.gateway);
  const whole = strict ? written : withAssumedServices(written, options.gateway);
  const state = withAssumedOperator(whole, options.gateway);
  const outlook = foresee(state, options, noMemory);
  return {
    preview: planPreview(state, outlook, options.gateway, undefined),
    diagnostics: reviewManifests(files, outlook.settled, missing, strict),
  };
}

/**
 * Plans a cluster as it would be after the manifests have been applied.
 *
 * @param isWhole whether to tell also what stays as it is without the manifests
 */
export function planOverCluster(
  files: ManifestFile,
  live: ClusterReading,
  options: ClusterPlanOptions,
  isWhole: boolean,
): ManifestPlan {
  const after = planApplied(files, live, options);
  if (isWhole) return after;
  return manifestEffect(planApplied({ objects: [], errors: [] }, live, options), after);
}

function planApplied(
  files: ManifestFile,
  live: ClusterReading,
  options: ClusterPlanOptions,
): ManifestPlan {
  const { gateway } = options;
  const applied = overlay(live.state, stateOf(files.objects));
  const isInstalled = applied.services.some(({ metadata }) =>
    keyOf(metadata) === keyOf(gateway.own)
  );
  const state = isInstalled ? applied : withAssumedOperator(applied, gateway);
  const outlook = foresee(state, options, noMemory);
  const notes: Diagnostic[] = live.refused.map((message) => ({ severity: "warning", message }));
  if (!isInstalled) {
    const message =
      `there is no operator: its Service ${keyOf(gateway.own)} does not exist, and is ` +
      "taken to be ready";
    notes.push({ severity: "note", message });
  }
  return {
    preview: planPreview(state, outlook, gateway, live.state),
    diagnostics: [...notes, ...reviewManifests(files, outlook.settled, [], true)],
  };
}
