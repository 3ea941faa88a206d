import assert from "node:assert/strict";
import fc from "fast-check";
import type { Ingress, RawObject } from "../controller/cluster_state.ts";
import { noMemory, plan, type PlanMemory } from "../controller/plan/plan.ts";
import type { PlanOptions } from "../controller/plan/plan_options.ts";
import { matchesPattern, pathSegments } from "../store/path_pattern.ts";
import { PlanCluster } from "./plan_cluster.ts";
import {
  backendOf,
  type Edit,
  type PathEntry,
  placeOf,
  requestsOf,
  type RuleEntry,
  scenario,
} from "./plan_scenario.ts";

const gatewayNames = ["x402-gateway", "pay"];
/** Service, then EndpointSlices, then Ingress; the fourth finds nothing to do. */
const maxRounds = 4;

Deno.test("whatever the user does, the plan settles, and all is put back in the end", () => {
  fc.assert(
    fc.property(scenario, ({ namespace, entries, routes, edits, last, ...rest }) => {
      const run = new Run(namespace, entries, rest);
      routes.forEach((rules, index) => run.putRoute(`route-${index}`, rules));
      run.settle();
      for (const each of edits) {
        run.edit(each);
        run.settle();
        run.assertCharged(routes.flat());
      }
      routes.forEach((_, index) => run.deleteRoute(`route-${index}`));
      run.edit(last);
      run.settle();
      run.assertRestored();
    }),
    { numRuns: 150 },
  );
});

/** One Ingress `api`, its author, and the operator. */
class Run {
  readonly #cluster = new PlanCluster();
  readonly #paths: PathEntry[];
  #memory: PlanMemory = noMemory;
  #gatewayName = gatewayNames[0]!;
  #options = this.#optionsNow();

  constructor(
    readonly namespace: string,
    entries: readonly PathEntry[],
    readonly rest: { defaultService: string | undefined; annotations: object | undefined },
  ) {
    this.#paths = entries.map((each) => ({ ...each }));
    const own = { namespace: "x402", name: "x402-k8s-operator" };
    const ports = [{ name: "http", port: 8402 }];
    this.#cluster.put("services", { apiVersion: "v1", metadata: own, spec: { ports } });
    this.#cluster.put("endpointslices", {
      apiVersion: "discovery.k8s.io/v1",
      metadata: {
        ...own,
        name: `${own.name}-1`,
        labels: { "kubernetes.io/service-name": own.name },
      },
      addressType: "IPv4",
      endpoints: [{ addresses: ["10.0.0.7"], conditions: { ready: true } }],
      ports,
    });
    for (const name of ["api", "api-v2", "static"]) {
      const spec = { ports: [{ port: 80 }] };
      this.#cluster.put("services", { apiVersion: "v1", metadata: { namespace, name }, spec });
    }
    this.#cluster.put("ingresses", this.#author());
  }

  #optionsNow(): PlanOptions {
    return {
      allowExternalName: false,
      allowedFacilitatorHosts: [],
      clusterDomain: "cluster.local",
      gateway: {
        own: { namespace: "x402", name: "x402-k8s-operator" },
        serviceName: this.#gatewayName,
        port: 8402,
        way: "endpoint-slices",
      },
    };
  }

  /** As its author has it. */
  #author() {
    const { defaultService, annotations } = this.rest;
    const hosts = new Map<string, PathEntry[]>();
    for (const each of this.#paths) hosts.set(each.host, [...hosts.get(each.host) ?? [], each]);
    const rules = [...hosts].map(([host, paths]) => ({
      ...host && { host },
      http: {
        paths: paths.map(({ path, pathType, service }) => ({
          path,
          pathType,
          backend: backendOf(service),
        })),
      },
    }));
    return {
      apiVersion: "networking.k8s.io/v1",
      metadata: {
        namespace: this.namespace,
        name: "api",
        ...annotations && { annotations: { ...annotations } },
      },
      spec: {
        ...defaultService && { defaultBackend: backendOf(defaultService) },
        ...rules.length > 0 && { rules },
      },
    };
  }

  #live(): Ingress {
    return this.#cluster.get("ingresses", `${this.namespace}/api`) as unknown as Ingress;
  }

  putRoute(name: string, rules: readonly RuleEntry[]): void {
    this.#cluster.put("x402routes", {
      apiVersion: "x402.io/v1alpha1",
      kind: "X402Route",
      metadata: { namespace: this.namespace, name, creationTimestamp: "2026-01-01T00:00:00Z" },
      spec: {
        ingressRef: { name: "api" },
        payment: {
          wallet: "0x1f6004907Adc7d313768b85917e069e011150390",
          network: "base-sepolia",
          defaultPrice: "0.001",
        },
        routes: rules.map((each) => ({ ...each })),
      },
    });
  }

  deleteRoute(name: string): void {
    const route = this.#cluster.get("x402routes", `${this.namespace}/${name}`) as RawObject;
    // Without a finalizer it is gone at once.
    if (route.metadata.finalizers === undefined) {
      this.#cluster.remove("x402routes", `${this.namespace}/${name}`);
    } else {
      const metadata = { ...route.metadata, deletionTimestamp: "2026-01-02T00:00:00Z" };
      this.#cluster.put("x402routes", { ...route, metadata });
    }
  }

  edit(edit: Edit): void {
    switch (edit.kind) {
      case "restart":
        this.#memory = noMemory;
        return;
      case "rename-gateway":
        this.#gatewayName = gatewayNames.find((name) => name !== this.#gatewayName)!;
        this.#options = this.#optionsNow();
        return;
      case "replace":
        return this.#cluster.put("ingresses", this.#author());
      case "apply":
        return this.#write(this.#author().spec);
      case "add":
        if (this.#isFree(edit.entry)) this.#paths.push({ ...edit.entry });
        return this.#write(this.#edited());
      default: {
        const target = this.#paths[edit.at % this.#paths.length];
        if (target !== undefined) this.#change(edit.kind, target, edit.entry);
        return;
      }
    }
  }

  #change(kind: "remove" | "change-backend" | "rename", target: PathEntry, entry: PathEntry): void {
    // The author works on what is in the cluster: `kubectl edit`.
    const backends = this.#backends();
    if (kind === "remove") this.#paths.splice(this.#paths.indexOf(target), 1);
    else if (kind === "change-backend") {
      target.service = entry.service;
      backends.set(placeOf(target), backendOf(entry.service));
    } else if (this.#isFree({ ...target, path: entry.path })) {
      const backend = backends.get(placeOf(target))!;
      target.path = entry.path;
      backends.set(placeOf(target), backend);
    }
    this.#write(this.#edited(backends));
  }

  /** What the author wants, with the backends that are in the cluster now where they are left alone. */
  #edited(backends = this.#backends()) {
    const { spec } = this.#author();
    for (const { host = "", http } of spec.rules || []) {
      for (const each of http.paths) {
        each.backend = (backends.get(placeOf({ host, ...each })) ?? each.backend) as never;
      }
    }
    const { defaultBackend } = this.#live().spec;
    return { ...spec, ...defaultBackend && { defaultBackend } };
  }

  #backends(): Map<string, object> {
    return new Map(
      (this.#live().spec.rules ?? []).flatMap(({ host = "", http }) =>
        http!.paths.map((each) =>
          [placeOf({ host, path: each.path!, pathType: each.pathType }), each.backend] as const
        )
      ),
    );
  }

  #isFree(wanted: Omit<PathEntry, "service">): boolean {
    return !this.#paths.some((each) => placeOf(each) === placeOf(wanted));
  }

  #write(spec: object): void {
    const { metadata } = this.#live();
    this.#cluster.put("ingresses", { ...this.#author(), metadata, spec });
  }

  settle(): void {
    for (let round = 0; round < maxRounds; round++) {
      const state = this.#cluster.state();
      const planned = plan(state, this.#options, this.#memory);
      // What is remembered of single objects must not be seen.
      assert.deepEqual(planned, plan(structuredClone(state), this.#options, this.#memory));
      this.#memory = planned;
      if (planned.writes.length === 0) return;
      for (const write of planned.writes) this.#cluster.apply(write);
      this.#assertNoGatewayAsOriginal();
    }
    assert.fail(`Still not settled after ${maxRounds} rounds.`);
  }

  #assertNoGatewayAsOriginal(): void {
    const annotation = this.#live().metadata.annotations?.["x402.io/original-backends"] ?? "[]";
    const { originals = [] } = JSON.parse(annotation);
    for (const { backend } of originals) {
      assert.ok(!isGateway(backend.service.name), annotation);
    }
  }

  /** A longer path of the host takes the request, to another Service. */
  #belongsElsewhere(request: readonly string[], place: PathEntry): boolean {
    return this.#paths.some(({ host, path, pathType, service }) =>
      host === place.host && pathType === "Prefix" && service !== place.service &&
      path.length > place.path.length &&
      matchesPattern([...pathSegments(path), "**"], request)
    );
  }

  /** Every path of which some request costs something leads to the gateway. */
  assertCharged(rules: readonly RuleEntry[]): void {
    const backends = this.#backends();
    for (const place of this.#paths) {
      const charged = requestsOf(place).some((request) =>
        !this.#belongsElsewhere(request, place) &&
        rules.find(({ path }) => matchesPattern(pathSegments(path), request))?.free === false
      );
      const name = (backends.get(placeOf(place)) as ReturnType<typeof backendOf>).service.name;
      if (charged) assert.ok(isGateway(name), `${placeOf(place)} leads to ${name}`);
      if (rules.every(({ free }) => free)) assert.equal(name, place.service);
    }
  }

  assertRestored(): void {
    const author = this.#author();
    const live = this.#live();
    assert.deepEqual(live.spec, author.spec);
    assert.deepEqual(live.metadata.annotations, author.metadata.annotations);
    assert.deepEqual(this.#cluster.all("x402routes"), []);
    const ours = [...this.#cluster.all("services"), ...this.#cluster.all("endpointslices")]
      .filter(({ metadata }) => gatewayNames.some((name) => metadata.name.startsWith(name)));
    assert.deepEqual(ours, []);
  }
}

function isGateway(name: string): boolean {
  return gatewayNames.includes(name) || name === "x402-k8s-operator";
}
