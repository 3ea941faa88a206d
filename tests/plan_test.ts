import assert from "node:assert/strict";
import fc from "fast-check";
import type { ClusterState } from "../controller/cluster_state.ts";
import { plan } from "../controller/plan/plan.ts";
import { assertGolden } from "./golden.ts";
import { clusterOutcome, readCase } from "./plan_case.ts";

const cases = new URL("plan_cases/", import.meta.url);

/** No network: the plan is a pure function. The YAML parser asks the environment whether to trace. */
const permissions: Deno.PermissionOptions = { read: true, write: [cases], env: true };

const names = [...Deno.readDirSync(cases)]
  .flatMap(({ name, isDirectory }) => isDirectory ? [name] : [])
  .sort();

for (const name of names) {
  const folder = new URL(`${name}/`, cases);

  Deno.test({ name: `plan case ${name}`, permissions }, () => {
    const { state, options, memory } = readCase(folder);
    const planned = plan(state, options, memory);
    const { snapshot, ingressChanges, statuses } = planned;
    const outcome = options.gateway === undefined
      ? { snapshot, ingressChanges, statuses }
      : clusterOutcome(planned);
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
    ledLately: fc.constant(state.ledLately),
    writeProblems: fc.constant(state.writeProblems),
    facilitatorSupport: fc.constant(state.facilitatorSupport),
  });
}

function objectsIn(value: unknown): object[] {
  if (typeof value !== "object" || value === null) return [];
  const inner = value instanceof Map ? [...value.values()] : Object.values(value);
  return [value, ...inner.flatMap(objectsIn)];
}
