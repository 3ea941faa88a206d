/** What the API server accepts is read; and what cannot be read is not taken for absent. */
import assert from "node:assert/strict";
import { clusterLists } from "../controller/cluster/cluster_lists.ts";
import type { KubeObject } from "../controller/cluster/watch_stream.ts";
import type { Ingress } from "../controller/cluster_state.ts";
import { noMemory, plan } from "../controller/plan/plan.ts";
import { readCase } from "./plan_case.ts";

const [list] = clusterLists([], { namespace: "x402", name: "x402-k8s-operator" }).ingresses;
const cases = new URL("plan_cases/", import.meta.url);
const service = { service: { name: "api", port: { number: 80 } } };

function object(host: string, path: string, backend: unknown): KubeObject {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { namespace: "shop", name: "api", resourceVersion: "7" },
    spec: { rules: [{ host, http: { paths: [{ path, pathType: "Prefix", backend }] } }] },
  };
}

const accepted = {
  "a path of any length": object("a.test", "/" + "a".repeat(5000), service),
  "a resource of the core group": object("a.test", "/", {
    resource: { apiGroup: null, kind: "Bucket", name: "b" },
  }),
  "a host of digits": object("123", "/", service),
  "a long label": object(`${"a".repeat(70)}.test`, "/", service),
};

for (const [what, ingress] of Object.entries(accepted)) {
  Deno.test(`an Ingress with ${what} is read as it is`, () => {
    assert.deepEqual(list!.read(ingress).spec, ingress.spec);
  });
}

Deno.test("an Ingress that cannot be read stays as it was, or is there at least", () => {
  const bad = object("a b", "/", service);
  const before = list!.read(object("a.test", "/", service));
  const unreadable = "this is why";
  assert.deepEqual(list!.unreadable!(bad, unreadable, before), { ...before, unreadable });
  const { apiVersion, metadata } = bad;
  const nothing = { apiVersion, metadata, spec: {}, unreadable };
  assert.deepEqual(list!.unreadable!(bad, unreadable, undefined), nothing);
});

Deno.test("a path that is too long stays as it is, and the others are charged", () => {
  const { state, options } = readCase(new URL("cluster_second_step/", cases));
  const long = "/paid" + "/a".repeat(100_000);
  const ingresses = state.ingresses.map((ingress): Ingress => {
    const [rule] = ingress.spec.rules!;
    const longer = { ...rule!.http!.paths[0]!, path: long };
    const rules = [{ ...rule, http: { paths: [longer, ...rule!.http!.paths] } }];
    return { ...ingress, spec: { ...ingress.spec, rules } };
  });
  const { ingressChanges, statuses } = plan({ ...state, ingresses }, options, noMemory);
  const paths = ingressChanges.flatMap(({ paths }) => paths.map(({ path }) => path));
  assert.ok(paths.length > 0 && !paths.includes(long));
  assert.ok(statuses.every(({ inForce }) => inForce === "as written"));
});

for (const known of [true, false]) {
  const how = known ? "was read before" : "was never read";
  const unread = (ingress: Ingress): Ingress => ({
    ...ingress,
    ...(!known && { spec: {} }),
    unreadable: "this is why",
  });

  Deno.test(`the X402Route says so of an Ingress that cannot be read and ${how}`, () => {
    const { state, options } = readCase(new URL("cluster_steady_state/", cases));
    const ingresses = state.ingresses.map(unread);
    const { statuses, writes } = plan({ ...state, ingresses }, options, noMemory);
    const found = statuses.map(({ conditions }) =>
      conditions.map(({ type, reason }) => `${type} ${reason}`).slice(1)
    );
    const expected = [
      "ResolvedRefs ResolvedRefs",
      "IngressPatched IngressUnreadable",
      "Ready IngressUnreadable",
    ];
    assert.ok(found.length > 0);
    for (const each of found) assert.deepEqual(each, expected);
    assert.deepEqual(writes, []);
  });

  Deno.test(`a deleted X402Route is held by an Ingress that cannot be read and ${how}`, () => {
    const { state, options } = readCase(new URL("cluster_deleted_route_is_restored_first/", cases));
    const ingresses = state.ingresses.map(unread);
    const { statuses, writes } = plan({ ...state, ingresses }, options, noMemory);
    assert.deepEqual(writes, []);
    assert.match(JSON.stringify(statuses), /IngressUnreadable.*cannot be read: this is why/);
  });
}
