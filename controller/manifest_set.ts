import { type ClusterState, keyOf, noObservations } from "./cluster_state.ts";
import type { ManifestError } from "./manifest_event.ts";
import type { ManifestFile } from "./manifest_file.ts";
import type { ManifestObject } from "./manifest_object.ts";

/** Where an X402Route (`namespace/name`) is written. */
export type RouteSource = (key: string) => Pick<ManifestObject, "file" | "lineOf">;

/** Several files as one; an object that is defined twice is an error too. */
export function manifestSet(files: readonly ManifestFile[]): ManifestFile {
  const objects = files.flatMap((file) => file.objects);
  return { objects, errors: [...files.flatMap((file) => file.errors), ...duplicates(objects)] };
}

/** The cluster that has these objects and no others. */
export function stateOf(objects: readonly ManifestObject[]): ClusterState {
  return {
    routes: objects.flatMap((item) => item.kind === "X402Route" ? [item.object] : []),
    ingresses: objects.flatMap((item) => item.kind === "Ingress" ? [item.object] : []),
    services: objects.flatMap((item) => item.kind === "Service" ? [item.object] : []),
    endpointSlices: [],
    ...noObservations,
  };
}

/** Knows the X402Routes of `objects`, and no others. */
export function routeSources(objects: readonly ManifestObject[]): RouteSource {
  const routes = objects.filter(({ kind }) => kind === "X402Route");
  const sources = new Map(routes.map((source) => [keyOf(source.object.metadata), source]));
  return (key) => sources.get(key)!;
}

function duplicates(objects: readonly ManifestObject[]): ManifestError[] {
  const first = new Map<string, ManifestObject>();
  return objects.flatMap((item) => {
    const name = `${item.kind} ${keyOf(item.object.metadata)}`;
    const known = first.get(name);
    if (known === undefined) {
      first.set(name, item);
      return [];
    }
    const reason = `${name} is already defined in ${known.file} line ${known.lineOf([])}`;
    return [{ file: item.file, line: item.lineOf([]), reason }];
  });
}
