/** Whatever a user does, and whenever the operator dies: nothing of the user's is lost. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { edit, fuzzOperator, FuzzUser } from "./operator_fuzz_edits.ts";
import { eventually } from "./operator_look.ts";
import { ingress } from "./operator_manifests.ts";
import { pendingWrites } from "./operator_pending.ts";
import { Scenario } from "./operator_scenario.ts";
import { clusterTest, type TestCluster } from "./test_cluster.ts";

/** `X402_TEST_FUZZ_RUNS=100` for more, `X402_TEST_FUZZ_SEED=...` for those of a failure. */
const numRuns = Number(Deno.env.get("X402_TEST_FUZZ_RUNS") ?? 3);
const seed = Deno.env.get("X402_TEST_FUZZ_SEED");

clusterTest("random edits, and kills of the operator, lose nothing", async (cluster) => {
  const edits = fc.array(edit, { minLength: 40, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(edits, async (edits) => {
      await using scenario = await Scenario.start(cluster, fuzzOperator);
      const user: FuzzUser = new FuzzUser(scenario, () => assertSettled(cluster, scenario, user));
      for (const each of edits) await user.carryOut(each);
      await assertSettled(cluster, scenario, user);
      await assertBackends(scenario, user);
      await scenario.admin.deleteAll("X402Route", scenario.namespace);
      await assertAsWritten(cluster, scenario, user);
    }),
    // A smaller case that fails too is seldom worth the hours.
    { numRuns, endOnFailure: true, ...(seed !== undefined && { seed: Number(seed) }) },
  );
});

/** The cluster is as the plan wants it. */
async function assertSettled(
  cluster: TestCluster,
  scenario: Scenario,
  user: FuzzUser,
): Promise<void> {
  await user.correctMistakes();
  await eventually(() => pendingWrites(cluster, scenario.operatorNamespace), [], 10_000);
}

/** What leads to the gateway goes on to the backends that the user means. */
async function assertBackends(scenario: Scenario, user: FuzzUser): Promise<void> {
  const { admin, namespace } = scenario;
  const services = (await admin.list("Service", { namespace })).map((it) => it.metadata.name);
  for (const [name, paths] of user.ingresses) {
    const live = await scenario.backends(name);
    for (const [path, backend] of Object.entries(paths)) {
      if (live[path] === backend) continue;
      const expected = services.includes(backend) ? backend : "503";
      const [free] = (await scenario.look(path, scenario.operator, user.hostOf(name))).split(" ");
      assert.equal(free, expected, `${path} of Ingress ${name}`);
    }
  }
}

/** Every Ingress equals what the user last wrote, and nothing is left of the operator. */
async function assertAsWritten(cluster: TestCluster, scenario: Scenario, user: FuzzUser) {
  const { admin, namespace } = scenario;
  await admin.waitUntilAll("X402Route", { namespace }, (routes) => routes.length === 0);
  await assertSettled(cluster, scenario, user);
  const live = await admin.list("Ingress", { namespace });
  const byName = new Map(live.map((it) => [it.metadata.name, it]));
  assert.deepEqual([...byName.keys()].sort(), [...user.ingresses.keys()].sort());
  for (const [name, paths] of user.ingresses) {
    const { spec, metadata } = byName.get(name)!;
    const written = ingress(namespace, name, { [user.hostOf(name)]: paths }).spec;
    assert.deepEqual(sortPaths(spec), sortPaths(written));
    assert.equal(metadata.annotations, undefined);
  }
  const kinds = ["Service", "EndpointSlice"] as const;
  for (const kind of kinds) {
    const left = await admin.list(kind, { namespace });
    assert.deepEqual(left.filter(({ metadata }) => metadata.name.startsWith("x402-")), []);
  }
}

/** An edit puts a path at the end of the list, the model does so too, but not always the same. */
function sortPaths(spec: unknown): unknown {
  const { rules } = spec as { rules: { http: { paths: { path: string }[] } }[] };
  return rules.map(({ http }) => http.paths.toSorted((a, b) => a.path < b.path ? -1 : 1));
}
