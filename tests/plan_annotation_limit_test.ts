import assert from "node:assert/strict";
import { plan } from "../controller/plan/plan.ts";
import { clusterOutcome, readCase } from "./plan_case.ts";

Deno.test("original backends that do not fit into the annotations are refused before anything is patched", () => {
  const folder = new URL("plan_cases/cluster_third_step/", import.meta.url);
  const { state, options, memory } = readCase(folder);
  const [ingress] = state.ingresses;
  const annotations = { notes: "x".repeat(262_000) };
  const crowded = { ...ingress!, metadata: { ...ingress!.metadata, annotations } };
  const planned = plan({ ...state, ingresses: [crowded] }, options, memory);
  assert.deepEqual(planned.writes, []);
  const { statuses } = clusterOutcome(planned);
  const { IngressPatched, Ready } = statuses["shop/paid"] as unknown as Record<string, string>;
  assert.equal(
    IngressPatched,
    "False, TooManyPaths: With the original backends, the annotations would take 262180 bytes, " +
      "and 262144 are allowed; charge for fewer paths of this Ingress, or for a shorter common prefix.",
  );
  assert.equal(Ready, IngressPatched);
});
