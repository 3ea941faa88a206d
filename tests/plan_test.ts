import assert from "node:assert/strict";
import fc from "fast-check";
import type { ClusterState } from "../controller/cluster_state.ts";
import { parseManifestFile } from "../controller/manifest_file.ts";
import { plan } from "../controller/plan/plan.ts";
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
  readonly lastAccepted: ReturnType<typeof plan>["accepted"];
}

function readCase(folder: URL): PlanCase {
  const options: PlanOptions = {
    allowExternalName: true,
    allowedFacilitatorHosts: [],
    clusterDomain: "cluster.local",
    ...readDocuments(new URL("options.yaml", folder))[0] as Partial<PlanOptions>,
  };
  const last = readState(new URL("last.yaml", folder));
  const lastAccepted = plan(last, options, new Map()).accepted;
  return { state: readState(new URL("input.yaml", folder)), options, lastAccepted };
}

const noManifests = { objects: [], errors: [] };

function readState(file: URL): ClusterState {
  const text = readText(file);
  const { objects, errors } = text === "" ? noManifests : parseManifestFile("input.yaml", text);
  assert.deepEqual(errors, []);
  return {
    routes: objects.flatMap((item) => item.kind === "X402Route" ? [item.object] : []),
    ingresses: objects.flatMap((item) => item.kind === "Ingress" ? [item.object] : []),
    services: objects.flatMap((item) => item.kind === "Service" ? [item.object] : []),
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
    const { state, options, lastAccepted } = readCase(folder);
    const { snapshot, ingressChanges, statuses } = plan(state, options, lastAccepted);
    assertGolden({ snapshot, ingressChanges, statuses }, new URL("expected.yaml", folder));
  });

  Deno.test({ name: `plan case ${name}: any order of the input`, permissions }, () => {
    const { state, options, lastAccepted } = readCase(folder);
    const expected = plan(state, options, lastAccepted);
    fc.assert(
      fc.property(shuffled(state), (other) => {
        assert.deepEqual(plan(other, options, lastAccepted), expected);
      }),
      { numRuns: 20 },
    );
  });

  Deno.test({ name: `plan case ${name}: unsoiled input, frozen output`, permissions }, () => {
    const { state, options, lastAccepted } = readCase(folder);
    const before = structuredClone(state);
    const outcome = plan(state, options, lastAccepted);
    assert.deepEqual(state, before);
    for (const value of objectsIn(state)) assert.ok(!Object.isFrozen(value), JSON.stringify(value));
    for (const value of objectsIn(outcome)) {
      assert.ok(Object.isFrozen(value), JSON.stringify(value));
    }
  });
}

function shuffled({ routes, ingresses, services }: ClusterState): fc.Arbitrary<ClusterState> {
  const shuffle = <T>(list: readonly T[]) =>
    fc.shuffledSubarray([...list], { minLength: list.length });
  return fc.record({
    routes: shuffle(routes),
    ingresses: shuffle(ingresses),
    services: shuffle(services),
  });
}

function objectsIn(value: unknown): object[] {
  if (typeof value !== "object" || value === null) return [];
  const inner = value instanceof Map ? [...value.values()] : Object.values(value);
  return [value, ...inner.flatMap(objectsIn)];
}
