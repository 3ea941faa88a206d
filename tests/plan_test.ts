import assert from "node:assert/strict";
import fc from "fast-check";
import { type ClusterState, endpointSliceSchema } from "../controller/cluster_state.ts";
import { parseManifestFile } from "../controller/manifest_file.ts";
import { noMemory, plan, type PlanMemory } from "../controller/plan/plan.ts";
import type { PlanOptions } from "../controller/plan/plan_options.ts";
import { assertGolden, readDocuments } from "./golden.ts";

const cases = new URL("plan_cases/", import.meta.url);

/** No network: the plan is a pure function. The YAML parser asks the environment whether to trace. */
const permissions: Deno.PermissionOptions = { read: true, write: [cases], env: true };

/**
 * One folder is one case: `input.yaml`, `options.yaml` where they matter, and `last.yaml` for what
 * was planned before; `expected.yaml` is the outcome.
 */
interface PlanCase {
  readonly state: ClusterState;
  readonly options: PlanOptions;
  readonly memory: PlanMemory;
}

function readCase(folder: URL): PlanCase {
  const options: PlanOptions = {
    allowExternalName: true,
    allowedFacilitatorHosts: [],
    clusterDomain: "cluster.local",
    ...readDocuments(new URL("options.yaml", folder))[0] as Partial<PlanOptions>,
  };
  const last = readState(new URL("last.yaml", folder));
  const memory = plan(last, options, noMemory);
  return { state: readState(new URL("input.yaml", folder)), options, memory };
}

const noManifests = { objects: [], errors: [] };

function readState(file: URL): ClusterState {
  const text = readText(file);
  const { objects, errors } = text === "" ? noManifests : parseManifestFile("input.yaml", text);
  assert.deepEqual(errors, []);
  const slices = readDocuments(file)
    .filter((object) => (object as { kind: string }).kind === "EndpointSlice");
  return {
    routes: objects.flatMap((item) => item.kind === "X402Route" ? [item.object] : []),
    ingresses: objects.flatMap((item) => item.kind === "Ingress" ? [item.object] : []),
    services: objects.flatMap((item) => item.kind === "Service" ? [item.object] : []),
    endpointSlices: slices.map((slice) => endpointSliceSchema.parse(slice)),
    writeProblems: new Map(),
  };
}

function readText(file: URL): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

for (const { name } of [...Deno.readDirSync(cases)].sort((a, b) => a.name < b.name ? -1 : 1)) {
  const folder = new URL(`${name}/`, cases);

  Deno.test({ name: `plan case ${name}`, permissions }, () => {
    const { state, options, memory } = readCase(folder);
    const { snapshot, ingressChanges, statuses, writes } = plan(state, options, memory);
    const outcome = options.gateway === undefined
      ? { snapshot, ingressChanges, statuses }
      : { snapshot, statuses, writes };
    assertGolden(outcome, new URL("expected.yaml", folder));
  });

  Deno.test({ name: `plan case ${name}: any order of the input`, permissions }, () => {
    const { state, options, memory } = readCase(folder);
    const expected = plan(state, options, memory);
    fc.assert(
      fc.property(shuffled(state), (other) => {
        assert.deepEqual(plan(other, options, memory), expected);
      }),
      { numRuns: 20 },
    );
  });

  Deno.test({ name: `plan case ${name}: unsoiled input, frozen output`, permissions }, () => {
    const { state, options, memory } = readCase(folder);
    const before = structuredClone(state);
    const outcome = plan(state, options, memory);
    assert.deepEqual(state, before);
    for (const value of objectsIn(state)) assert.ok(!Object.isFrozen(value), JSON.stringify(value));
    const { originals: _, ...frozen } = outcome;
    for (const value of Object.values(frozen).flatMap(objectsIn)) {
      assert.ok(Object.isFrozen(value), JSON.stringify(value));
    }
  });
}

function shuffled(state: ClusterState): fc.Arbitrary<ClusterState> {
  const shuffle = <T>(list: readonly T[]) =>
    fc.shuffledSubarray([...list], { minLength: list.length });
  return fc.record({
    routes: shuffle(state.routes),
    ingresses: shuffle(state.ingresses),
    services: shuffle(state.services),
    endpointSlices: shuffle(state.endpointSlices),
    writeProblems: fc.constant(state.writeProblems),
  });
}

function objectsIn(value: unknown): object[] {
  if (typeof value !== "object" || value === null) return [];
  const inner = value instanceof Map ? [...value.values()] : Object.values(value);
  return [value, ...inner.flatMap(objectsIn)];
}
