import type { ObjectName } from "../cluster_state.ts";

export type WrittenResource = "ingresses" | "services" | "endpointslices" | "x402routes";

/** RFC 6902, as far as it is needed. */
export interface JsonPatchOperation {
  readonly op: "add" | "replace" | "remove";
  /** JSON Pointer (RFC 6901). */
  readonly path: string;
  readonly value?: unknown;
}

/** One request to the API server that brings an object nearer to what the plan wants. */
export type ClusterWrite =
  & ObjectName
  & {
    readonly resource: WrittenResource;
    /** What it is for, as a person would say it: "2 paths lead to the gateway". */
    readonly note: string;
  }
  & (
    | { readonly verb: "create"; readonly body: Readonly<Record<string, unknown>> }
    | {
      readonly verb: "patch";
      /** The version of the object that this was decided on; the API server refuses any other. */
      readonly resourceVersion: string;
      readonly operations: readonly JsonPatchOperation[];
      /** Of an Ingress: keys of the slots that lead to the gateway by this, and did not before. */
      readonly charged?: readonly string[];
      /** What its author has to know when it is done. */
      readonly warning?: string;
    }
    /** `later`: once proxies have had time to forget it. */
    | { readonly verb: "delete"; readonly resourceVersion: string; readonly later: boolean }
  );

/** A segment of a JSON Pointer. */
export function pointerSegment(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

/**
 * A JSON Patch that applies to this very version of an object or not at all. To "replace" the
 * version is how the API server is asked to compare it: a conflict is 409 then, while a failing
 * "test" operation is 422, like everything else that it dislikes.
 */
export function guardedPatch(
  resourceVersion: string,
  operations: readonly JsonPatchOperation[],
): JsonPatchOperation[] {
  return [
    { op: "replace", path: "/metadata/resourceVersion", value: resourceVersion },
    ...operations,
  ];
}
