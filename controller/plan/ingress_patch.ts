import type { Ingress, IngressBackend } from "../cluster_state.ts";
import { type BackendSlot, backendSlots, sameBackend, withBackends } from "./backend_slots.ts";
import {
  type ClusterWrite,
  guardedPatch,
  type JsonPatchOperation,
  pointerSegment,
} from "./cluster_write.ts";
import { gatewayBackend } from "./gateway_backend.ts";
import { formatOriginals, originalBackendsAnnotation } from "./original_backends.ts";
import { LastResults } from "../../store/last_results.ts";
import type { OriginalIngress } from "./original_ingress.ts";
import type { GatewayAddress } from "./plan_options.ts";

/** The API server's limit on all annotations of an object, in bytes of names and values. */
export const maxAnnotationBytes = 256 * 1024;

/** The API server takes 10,000 operations at most; beyond this many, the rules go as a whole. */
const maxOperations = 5_000;

export type IngressPatch =
  /** Already as wanted. */
  | { readonly kind: "none" }
  | { readonly kind: "write"; readonly write: ClusterWrite }
  /** The original backends do not fit into the annotations. */
  | { readonly kind: "too-large"; readonly bytes: number };

/**
 * What has to be written so that the wanted slots, and no others, lead to the gateway. While there is
 * no way to it (`isReached`), only slots that lead there already may be wanted, and they keep the
 * Service that they name. A slot whose original is not known could not be put back: it is not touched.
 */
export function ingressPatch(
  original: OriginalIngress,
  wanted: ReadonlySet<string>,
  gateway: GatewayAddress,
  isReached: boolean,
): IngressPatch {
  const inputs = [wanted, gateway, isReached];
  return known.get(original, inputs, () => patchOf(original, wanted, gateway, isReached));
}

const known = new LastResults<OriginalIngress, IngressPatch>();

function patchOf(
  original: OriginalIngress,
  wanted: ReadonlySet<string>,
  gateway: GatewayAddress,
  isReached: boolean,
): IngressPatch {
  const { live, backends } = original;
  const target = gatewayBackend(gateway, live.metadata.namespace);
  const slots = backendSlots(live);
  const changes = new Map<string, IngressBackend>();
  for (const { key, backend } of slots) {
    const author = backends.get(key);
    if (author === undefined) continue;
    const value = !wanted.has(key) ? author : isReached ? target : backend;
    if (!sameBackend(backend, value)) changes.set(key, value);
  }
  const annotation = annotationOf(original, slots, changes, wanted, target);
  const bytes = annotation === undefined ? 0 : annotationBytes(live, annotation);
  if (bytes > maxAnnotationBytes) return { kind: "too-large", bytes };
  const operations = [
    ...backendOperations(live, slots, changes),
    ...annotationOperations(live, annotation),
  ];
  if (operations.length === 0) return { kind: "none" };
  const charged = [...changes.keys()].filter((key) => wanted.has(key));
  return { kind: "write", write: write(live, operations, charged, changes.size - charged.length) };
}

/** The annotation that says where the wanted slots led; undefined when there is nothing to say. */
function annotationOf(
  { live, backends, lost }: OriginalIngress,
  slots: readonly BackendSlot[],
  changes: ReadonlyMap<string, IngressBackend>,
  wanted: ReadonlySet<string>,
  target: IngressBackend,
): string | undefined {
  const kept = new Map<string, IngressBackend>();
  const names = new Set<string>();
  for (const { key, backend } of slots) {
    if (!wanted.has(key)) continue;
    names.add((changes.get(key) ?? backend).service!.name);
    const author = backends.get(key);
    if (author !== undefined) kept.set(key, author);
  }
  const isWhole = slots.every(({ key }) => backends.has(key));
  // A person may find in what is lost what the operator cannot.
  for (const [key, backend] of isWhole ? [] : lost) kept.set(key, backend);
  if (kept.size === 0) {
    return isWhole ? undefined : live.metadata.annotations?.[originalBackendsAnnotation];
  }
  // The present name is known without the annotation, an earlier one is not.
  names.delete(target.service!.name);
  const [gateway = target.service!.name] = names;
  return formatOriginals({ gateway, backends: kept });
}

function write(
  { metadata }: Ingress,
  operations: readonly JsonPatchOperation[],
  charged: readonly string[],
  restored: number,
): ClusterWrite {
  const { namespace, name, resourceVersion = "" } = metadata;
  const notes = [
    ...(charged.length > 0 ? [`${paths(charged.length)} to the gateway`] : []),
    ...(restored > 0 ? [`${paths(restored)} to the original backend again`] : []),
  ];
  return {
    resource: "ingresses",
    verb: "patch",
    namespace,
    name,
    resourceVersion,
    operations: guardedPatch(resourceVersion, operations),
    note: notes.join("; ") || `annotation ${originalBackendsAnnotation} is up to date`,
    charged,
  };
}

function paths(count: number): string {
  return count === 1 ? "1 path leads" : `${count} paths lead`;
}

function backendOperations(
  live: Ingress,
  slots: readonly BackendSlot[],
  changes: ReadonlyMap<string, IngressBackend>,
): JsonPatchOperation[] {
  const operations = slots.filter(({ key }) => changes.has(key))
    .map(({ key, pointer }) => ({
      op: "replace" as const,
      path: pointer,
      value: changes.get(key),
    }));
  if (operations.length <= maxOperations) return operations;
  const { rules } = withBackends(live, changes).spec;
  return [
    { op: "replace", path: "/spec/rules", value: rules },
    ...operations.filter(({ path }) => !path.startsWith("/spec/rules/")),
  ];
}

function annotationOperations(
  { metadata }: Ingress,
  wanted: string | undefined,
): JsonPatchOperation[] {
  const { annotations } = metadata;
  const path = `/metadata/annotations/${pointerSegment(originalBackendsAnnotation)}`;
  if (annotations?.[originalBackendsAnnotation] === wanted) return [];
  if (wanted === undefined) return [{ op: "remove", path }];
  return annotations == null
    ? [{
      op: "add",
      path: "/metadata/annotations",
      value: { [originalBackendsAnnotation]: wanted },
    }]
    : [{ op: "add", path, value: wanted }];
}

/** In bytes of UTF-8; an upper bound is enough, and characters beyond ASCII are rare. */
function annotationBytes({ metadata }: Ingress, ours: string): number {
  const all = { ...metadata.annotations, [originalBackendsAnnotation]: ours };
  return new TextEncoder().encode(Object.entries(all).flat().join("")).length;
}
