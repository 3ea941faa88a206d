/** A plan reuses results of the one before; nobody may be able to tell. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type ClusterState,
  ingressSchema,
  noObservations,
  serviceSchema,
} from "../controller/cluster_state.ts";
import { noMemory, plan, type PlanMemory } from "../controller/plan/plan.ts";
import type { PlanOptions } from "../controller/plan/plan_options.ts";

const options: PlanOptions = {
  allowExternalName: false,
  allowedFacilitatorHosts: [],
  clusterDomain: "cluster.local",
  gateway: {
    own: { namespace: "x402-system", name: "x402-k8s-operator" },
    serviceName: "x402-gateway",
    port: 8402,
    way: "external-name",
  },
};

/** A cluster that some edit or other has made. */
interface Edited {
  /** By number of the X402Route; 0 is a price that nothing accepts. */
  readonly prices: readonly number[];
  /** By number of the X402Route: whether it has its finalizer, its Ingress, and what it charges for. */
  readonly protected: readonly boolean[];
  readonly targets: readonly string[];
  readonly rules: readonly string[];
  /** By number of the Ingress: the path that it has besides `/api`, and whether that is patched. */
  readonly paths: readonly string[];
  readonly patched: readonly boolean[];
  /** By number of the Ingress. */
  readonly hosts: readonly string[];
  readonly annotated: boolean;
  readonly externalName: boolean;
  /** The Service that stands in patched paths; the old one is known by the label of its Service. */
  readonly gatewayName: string;
  readonly gatewayService: boolean;
  /** What the facilitator has said. */
  readonly supports: keyof typeof answers;
}

const exact = { x402Version: 2, scheme: "exact" } as const;
const answers = {
  nothing: [],
  network: [{ ...exact, network: "eip155:84532" }],
  extra: [{ ...exact, network: "eip155:84532", extra: { feePayer: "0xab" } }],
  unknown: undefined,
};

const names = ["a", "b", "c"];
const three = <T>(value: fc.Arbitrary<T>) => fc.tuple(value, value, value);
const fields: { readonly [field in keyof Edited]: fc.Arbitrary<Edited[field]> } = {
  prices: three(fc.integer({ min: 0, max: 2 })),
  protected: three(fc.boolean()),
  targets: three(fc.constantFrom("a", "b", "c")),
  rules: three(fc.constantFrom("/api/**", "/docs")),
  paths: three(fc.constantFrom("/docs", "/api/v2", "/")),
  patched: three(fc.boolean()),
  hosts: three(fc.constantFrom("shop.example.com", "other.example.com")),
  annotated: fc.boolean(),
  externalName: fc.boolean(),
  gatewayName: fc.constantFrom("x402-gateway", "old-gateway"),
  gatewayService: fc.boolean(),
  supports: fc.constantFrom("nothing", "network", "extra", "unknown"),
};
const fieldNames = Object.keys(fields) as (keyof Edited)[];
const oneField = fc.oneof(
  ...fieldNames.map((name) => fields[name].map((value): Partial<Edited> => ({ [name]: value }))),
);

const first: Edited = {
  prices: [1, 1, 1],
  protected: [true, true, true],
  targets: ["a", "b", "c"],
  rules: ["/api/**", "/api/**", "/api/**"],
  paths: ["/docs", "/docs", "/docs"],
  patched: [true, true, true],
  hosts: ["a.example.com", "b.example.com", "c.example.com"],
  annotated: true,
  externalName: false,
  gatewayName: "x402-gateway",
  gatewayService: true,
  supports: "extra",
};

function routeOf(name: string, n: number, edit: Edited) {
  const price = edit.prices[n]!;
  return {
    apiVersion: "x402.io/v1alpha1",
    kind: "X402Route",
    metadata: {
      namespace: "shop",
      name,
      resourceVersion: "1",
      ...(edit.protected[n] && { finalizers: ["x402.io/restore-ingress"] }),
    },
    spec: {
      ingressRef: { name: edit.targets[n] },
      payment: {
        wallet: "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
        network: "base-sepolia",
        defaultPrice: price === 0 ? "nothing" : `0.00${price}`,
      },
      routes: [{ path: edit.rules[n] }],
    },
  };
}

function ingressOf(name: string, n: number, edit: Edited) {
  const host = edit.hosts[n]!;
  const original = { service: { name: "api", port: { number: 80 } } };
  const gateway = { service: { name: edit.gatewayName, port: { number: 8402 } } };
  const hosts = { [host]: { Prefix: ["/api"] } };
  const annotation = { gateway: edit.gatewayName, originals: [{ backend: original, hosts }] };
  return ingressSchema.parse({
    apiVersion: "networking.k8s.io/v1",
    metadata: {
      namespace: "shop",
      name,
      resourceVersion: "1",
      annotations: edit.annotated
        ? { "x402.io/original-backends": JSON.stringify(annotation) }
        : {},
    },
    spec: {
      rules: [{
        host,
        http: {
          paths: [
            { path: "/api", pathType: "Prefix", backend: edit.patched[n] ? gateway : original },
            { path: edit.paths[n], pathType: "Prefix", backend: original },
          ],
        },
      }],
    },
  });
}

function servicesOf({ externalName, gatewayName, gatewayService }: Edited) {
  const spec = externalName
    ? { type: "ExternalName", externalName: "localhost", ports: [{ port: 80 }] }
    : { ports: [{ port: 80 }] };
  const labels = { "app.kubernetes.io/managed-by": "x402-k8s-operator" };
  const service = (name: string, rest: object, labels = {}) =>
    serviceSchema.parse({
      apiVersion: "v1",
      metadata: { namespace: "shop", name, resourceVersion: "1", labels },
      ...rest,
    });
  return [
    service("api", { spec }),
    ...gatewayService ? [service(gatewayName, { spec }, labels)] : [],
  ];
}

function stateOf(edit: Edited): ClusterState {
  return {
    routes: names.map((name, n) => routeOf(name, n, edit)),
    ingresses: names.map((name, n) => ingressOf(name, n, edit)),
    services: servicesOf(edit),
    endpointSlices: [],
    ...noObservations,
    facilitatorSupport: new Map(
      Object.entries({ "https://x402.org/facilitator": answers[edit.supports] })
        .flatMap(([url, kinds]) => kinds === undefined ? [] : [[url, kinds]]),
    ),
  };
}

/** The state with the very objects of the one before, where they are equal. */
function sharing(state: ClusterState, before: ClusterState): ClusterState {
  const texts = new Map(
    [before.routes, before.ingresses, before.services].flat()
      .map((object) => [JSON.stringify(object), object as unknown]),
  );
  const known = <T>(objects: readonly T[]) =>
    objects.map((object) => (texts.get(JSON.stringify(object)) ?? object) as T);
  return {
    ...state,
    routes: known(state.routes),
    ingresses: known(state.ingresses),
    services: known(state.services),
  };
}

Deno.test("a plan is the same whether or not its objects have been planned before", () => {
  fc.assert(fc.property(fc.array(oneField, { maxLength: 30, size: "max" }), (changes) => {
    let edit = first;
    let before = stateOf(edit);
    let memories: [PlanMemory, PlanMemory] = [noMemory, noMemory];
    for (const change of [{}, {}, ...changes]) {
      edit = { ...edit, ...change };
      before = sharing(stateOf(edit), before);
      const anew = structuredClone(before);
      memories = [plan(before, options, memories[0]), plan(anew, options, memories[1])];
      assert.deepEqual(...memories);
    }
    const forgotten = plan(before, options, noMemory);
    assert.deepEqual(forgotten, plan(structuredClone(before), options, noMemory));
  }));
});

Deno.test("what has not changed is the very same object in the next snapshot", () => {
  const state = stateOf(first);
  const one = plan(state, options, noMemory);
  const two = plan(state, options, one);
  const changed = sharing(stateOf({ ...first, prices: [2, 1, 1] }), state);
  const three = plan(changed, options, two);
  const isSame = (n: number) => three.snapshot.ingresses[n] === two.snapshot.ingresses[n];
  assert.deepEqual([0, 1, 2].map(isSame), [false, true, true]);
  assert.equal(three.snapshot.hosts[0], two.snapshot.hosts[0]);
  assert.equal(three.statuses[1], two.statuses[1]);
});
