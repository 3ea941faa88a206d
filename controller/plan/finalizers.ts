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
  return finalizerWrite(metadata, value, "finalizer set");
}

/**
 * Lets deleted X402Routes go whose Ingress has nothing left to be written, or is gone itself.
 *
 * @param unsettled Ingresses (`namespace/name`) that are not yet as they are wanted
 * @param unknown by Ingress: what a person has to put back, because nobody knows how it was
 */
export function releasedFinalizers(
  routes: readonly RawObject[],
  unsettled: ReadonlySet<string>,
  unknown: ReadonlyMap<string, string>,
): ClusterWrite[] {
  return routes.filter(isHeld).flatMap((route) => {
    const ingress = ingressKey(route);
    if (unsettled.has(ingress)) return [];
    const { metadata } = route;
    const rest = finalizersOf(metadata).filter((name) => name !== restoreFinalizer);
    const write = finalizerWrite(metadata, rest, "finalizer removed");
    const warning = unknown.get(ingress);
    return [{ ...write, ...(warning !== undefined && { warning }) }];
  });
}

/** Whether it is deleted, and our finalizer is still on it. */
export function isHeld(route: RawObject): boolean {
  return isDeleted(route) && hasFinalizer(route);
}

/** `namespace/name` of the Ingress that it names; empty where that cannot be read. */
export function ingressKey(route: RawObject): string {
  const ingress = readIngressRef(route);
  return ingress === undefined ? "" : keyOf(ingress);
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
