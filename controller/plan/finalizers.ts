import { keyOf, type RawObject } from "../cluster_state.ts";
import { readIngressRef } from "./blocked_rules.ts";
import { type ClusterWrite, guardedPatch } from "./cluster_write.ts";

/** Keeps a deleted X402Route around until its Ingress is as its author wrote it. */
export const restoreFinalizer = "x402.io/restore-ingress";

/** Whether the X402Route is on its way out: nothing of it is in force any more. */
export function isDeleted({ metadata }: RawObject): boolean {
  return typeof metadata.deletionTimestamp === "string";
}

export function hasFinalizer({ metadata }: Pick<RawObject, "metadata">): boolean {
  return finalizersOf(metadata).includes(restoreFinalizer);
}

export function addFinalizer(metadata: RawObject["metadata"]): ClusterWrite {
  const value = [...finalizersOf(metadata), restoreFinalizer];
  return finalizerWrite(metadata, value, "the Ingress is put back before it goes");
}

/**
 * Lets deleted X402Routes go whose Ingress has nothing left to be written, or is gone itself.
 * `unsettled` are the Ingresses (`namespace/name`) that are not yet as they are wanted.
 */
export function releasedFinalizers(
  routes: readonly RawObject[],
  unsettled: ReadonlySet<string>,
): ClusterWrite[] {
  return routes
    .filter((route) => isDeleted(route) && hasFinalizer(route))
    .filter((route) => {
      const ingress = readIngressRef(route);
      return ingress === undefined || !unsettled.has(keyOf(ingress));
    })
    .map(({ metadata }) => {
      const rest = finalizersOf(metadata).filter((name) => name !== restoreFinalizer);
      return finalizerWrite(metadata, rest, "nothing is left to be put back");
    });
}

function finalizersOf({ finalizers }: RawObject["metadata"]): string[] {
  return Array.isArray(finalizers) ? finalizers.map(String) : [];
}

function finalizerWrite(
  { namespace, name, resourceVersion }: RawObject["metadata"],
  value: readonly string[],
  note: string,
): ClusterWrite {
  const version = String(resourceVersion);
  return {
    resource: "x402routes",
    verb: "patch",
    namespace,
    name,
    resourceVersion: version,
    operations: guardedPatch(version, [{ op: "add", path: "/metadata/finalizers", value }]),
    note,
  };
}
