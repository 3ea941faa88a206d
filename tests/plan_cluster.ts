import assert from "node:assert/strict";
import {
  type ClusterState,
  type EndpointSlice,
  endpointSliceSchema,
  type Ingress,
  ingressSchema,
  keyOf,
  noObservations,
  type ObjectName,
  type RawObject,
  type Service,
  serviceSchema,
} from "../controller/cluster_state.ts";
import type { ClusterWrite, JsonPatchOperation } from "../controller/plan/cluster_write.ts";

type StoredObject = { metadata: RawObject["metadata"]; [field: string]: unknown };

/** What the API server does with the writes of a plan, as far as the plan can tell. */
export class PlanCluster {
  readonly #objects = new Map<string, StoredObject>();
  readonly #known = new WeakMap<StoredObject, unknown>();
  #version = 1;

  put(resource: ClusterWrite["resource"], object: StoredObject): void {
    const resourceVersion = `${this.#version++}`;
    const metadata: Record<string, unknown> & ObjectName = { ...object.metadata, resourceVersion };
    // Like every field that is empty.
    if (Object.keys(metadata.annotations ?? {}).length === 0) delete metadata.annotations;
    this.#objects.set(`${resource} ${keyOf(metadata)}`, { ...object, metadata });
  }

  remove(resource: ClusterWrite["resource"], name: string): void {
    this.#objects.delete(`${resource} ${name}`);
  }

  get(resource: ClusterWrite["resource"], name: string): StoredObject | undefined {
    return this.#objects.get(`${resource} ${name}`);
  }

  all(resource: ClusterWrite["resource"]): StoredObject[] {
    return [...this.#objects].flatMap(([key, object]) =>
      key.startsWith(`${resource} `) ? [structuredClone(object)] : []
    );
  }

  /** Objects that have not changed are the very same as before, as with watches. */
  state(): ClusterState {
    return {
      routes: this.#read("x402routes", (object) => object),
      ingresses: this.#read("ingresses", (object): Ingress => ingressSchema.parse(object)),
      services: this.#read("services", (object): Service => serviceSchema.parse(object)),
      endpointSlices: this.#read(
        "endpointslices",
        (object): EndpointSlice => endpointSliceSchema.parse(object),
      ),
      ...noObservations,
    };
  }

  #read<T>(resource: ClusterWrite["resource"], read: (object: StoredObject) => T): T[] {
    return [...this.#objects].filter(([key]) => key.startsWith(`${resource} `))
      .map(([, object]) => {
        if (!this.#known.has(object)) this.#known.set(object, read(structuredClone(object)));
        return this.#known.get(object) as T;
      });
  }

  /** Carries out a write, or throws where the API server would refuse it. */
  apply(write: ClusterWrite): void {
    const key = `${write.resource} ${keyOf(write)}`;
    const present = this.#objects.get(key);
    if (write.verb === "create") {
      assert.equal(present, undefined, `${key} is there already`);
      const object = structuredClone(write.body) as StoredObject;
      this.put(write.resource, {
        ...object,
        metadata: { ...object.metadata, uid: `uid-${this.#version}` },
      });
      return;
    }
    assert.ok(present, `${key} is not there`);
    assert.equal(write.resourceVersion, present.metadata.resourceVersion, key);
    if (write.verb === "delete") {
      this.#objects.delete(key);
      return;
    }
    const patched = applyPatch(present, write.operations);
    const { deletionTimestamp, finalizers = [] } = patched.metadata;
    if (deletionTimestamp !== undefined && (finalizers as unknown[]).length === 0) {
      this.#objects.delete(key);
    } else this.put(write.resource, patched);
  }
}

/** RFC 6902, of operations on objects and on members of lists that are there. */
function applyPatch(
  object: StoredObject,
  operations: readonly JsonPatchOperation[],
): StoredObject {
  const patched = structuredClone(object);
  for (const { op, path, value } of operations) {
    const segments = path.split("/").slice(1)
      .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
    const last = segments.pop()!;
    let parent = patched as Record<string, unknown>;
    for (const segment of segments) parent = parent[segment] as typeof parent;
    assert.ok(parent, `${path} has no parent`);
    if (op !== "add") assert.ok(last in parent, `${path} is not there`);
    if (op === "remove") delete parent[last];
    else parent[last] = structuredClone(value);
  }
  return patched;
}
