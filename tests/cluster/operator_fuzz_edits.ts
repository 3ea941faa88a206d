/** Random edits of a user who has three Ingresses, three Services and three X402Routes. */
import fc from "fast-check";
import { ApiError } from "./kube_http.ts";
import {
  backendsByPath,
  ingress,
  type IngressPaths,
  ingressPaths,
  postsCost,
} from "./operator_manifests.ts";
import type { Scenario } from "./operator_scenario.ts";

const names = ["a", "b", "c"];
const paths = ["/", "/api", "/api/v1", "/docs", "/shop"];
const services = ["api", "site", "extra"];
const patterns = ["/**", "/api/**", "/api/v1/*", "/docs", "/shop/**"];

const name = fc.constantFrom(...names);
const service = fc.constantFrom(...services);
const rule = fc.record({
  path: fc.constantFrom(...patterns),
  free: fc.boolean(),
});

/** One step of a user, or a misfortune of the operator. */
export const edit = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant("apply Ingress" as const),
      name,
      paths: fc.dictionary(fc.constantFrom(...paths), service, { minKeys: 1, maxKeys: 5 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      what: fc.constant("edit Ingress" as const),
      name,
      path: fc.constantFrom(...paths),
      backend: fc.option(service),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("delete Ingress" as const), name }) },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constantFrom("create Service" as const, "delete Service" as const),
      service,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      what: fc.constantFrom("apply X402Route" as const, "make a mistake" as const),
      name,
      ingress: name,
      rules: fc.array(rule, { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("delete X402Route" as const), name }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("kill the operator" as const) }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant("wait until settled" as const) }) },
);

export type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

/** Carries out edits, and remembers what the user means by them. */
export class FuzzUser {
  /** What the user last wrote into each Ingress. */
  readonly ingresses = new Map<string, IngressPaths>();
  readonly #mistaken = new Map<string, () => Promise<unknown>>();

  constructor(
    private readonly scenario: Scenario,
    private readonly settle: () => Promise<void>,
  ) {}

  hostOf(ingressName: string): string {
    return `${ingressName}.${this.scenario.host}`;
  }

  async carryOut(edit: Edit): Promise<void> {
    switch (edit.what) {
      case "apply Ingress":
        return await this.#applyIngress(edit.name, edit.paths);
      case "edit Ingress":
        return await this.#editIngress(edit.name, edit.path, edit.backend);
      case "delete Ingress":
        if (this.ingresses.delete(edit.name)) await this.scenario.delete("Ingress", edit.name);
        return;
      case "create Service":
        return await this.scenario.addService(edit.service);
      case "delete Service":
        return await this.scenario.delete("Service", edit.service).catch(notFound);
      case "apply X402Route":
        this.#mistaken.delete(edit.name);
        return await this.#applyRoute(edit, {});
      case "make a mistake":
        this.#mistaken.set(edit.name, () => this.#applyRoute(edit, {}));
        return await this.#applyRoute(edit, { facilitatorURL: "https://10.0.0.1" });
      case "delete X402Route":
        this.#mistaken.delete(edit.name);
        return await this.scenario.delete("X402Route", edit.name).catch(notFound);
      case "kill the operator":
        await this.scenario.operator[Symbol.asyncDispose]();
        return void await this.scenario.startOperator(fuzzOperator);
      case "wait until settled":
        return await this.settle();
    }
  }

  /** What was valid before a mistake, only the operator knows. */
  async correctMistakes(): Promise<void> {
    for (const correct of this.#mistaken.values()) await correct();
    this.#mistaken.clear();
  }

  async #applyIngress(name: string, paths: IngressPaths): Promise<void> {
    const { admin, namespace } = this.scenario;
    await admin.apply(ingress(namespace, name, { [this.hostOf(name)]: paths }));
    this.ingresses.set(name, paths);
  }

  /** As with `kubectl edit`: again, if the Ingress has changed meanwhile. */
  async #editIngress(name: string, path: string, backend: string | null): Promise<void> {
    const { admin, namespace } = this.scenario;
    const { [path]: _, ...others } = this.ingresses.get(name) ?? {};
    if (!this.ingresses.has(name)) return;
    const meant = backend === null ? others : { ...others, [path]: backend };
    if (Object.keys(meant).length === 0) return;
    for (;;) {
      const live = await admin.get("Ingress", { namespace, name });
      const { [path]: _, ...kept } = backendsByPath(live.spec!.rules![0]!.http!.paths);
      const http = { paths: ingressPaths(backend === null ? kept : { ...kept, [path]: backend }) };
      const rules = [{ host: this.hostOf(name), http }];
      try {
        await admin.replace({ ...live, spec: { ...live.spec, rules } });
        return void this.ingresses.set(name, meant);
      } catch (error) {
        if (!(error instanceof ApiError && error.status === 409)) throw error;
      }
    }
  }

  async #applyRoute(
    { name, ingress, rules }: Edit & { readonly what: "apply X402Route" | "make a mistake" },
    payment: { readonly facilitatorURL?: string },
  ): Promise<void> {
    await this.scenario.applyRoute(name, {
      ingressRef: { name: ingress },
      payment,
      rules: rules.map(({ path, free }) => free ? { path, free } : postsCost(path)),
    });
  }
}

/** Alone, so that no Lease has to end first; what has gone is forgotten at once. */
export const fuzzOperator = {
  flags: ["--leader-elect", "false", "--drain-routes", "500ms"],
};

function notFound(error: unknown): void {
  if (!(error instanceof ApiError && error.status === 404)) throw error;
}
