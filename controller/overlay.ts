import { type ClusterState, keyOf, type ObjectName } from "./cluster_state.ts";

/**
 * The cluster as it would be after `kubectl apply` of the manifests: what they say takes the place of
 * what is there, and what the cluster adds to an object stays.
 */
export function overlay(live: ClusterState, manifests: ClusterState): ClusterState {
  return {
    ...live,
    routes: laidOver(live.routes, manifests.routes),
    ingresses: laidOver(live.ingresses, manifests.ingresses),
    services: laidOver(live.services, manifests.services),
  };
}

interface Labelled {
  readonly metadata: ObjectName & Readonly<Record<string, unknown>>;
}

function laidOver<T extends Labelled>(live: readonly T[], manifests: readonly T[]): T[] {
  const present = new Map(live.map((object) => [keyOf(object.metadata), object]));
  for (const object of manifests) {
    const key = keyOf(object.metadata);
    const before = present.get(key);
    present.set(
      key,
      before === undefined ? object : { ...before, ...object, metadata: merged(before, object) },
    );
  }
  return [...present.values()];
}

/** Labels and annotations that a manifest does not name are left alone, ours among them. */
function merged(before: Labelled, object: Labelled) {
  const both = (field: "labels" | "annotations") => ({
    [field]: { ...before.metadata[field] as object, ...object.metadata[field] as object },
  });
  return { ...before.metadata, ...object.metadata, ...both("labels"), ...both("annotations") };
}
