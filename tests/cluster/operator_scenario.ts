/** What the tests of the running operator have in common: a user's namespace, and how it looks. */
import type { KubeAdmin } from "./kube_admin.ts";
import type { Live } from "./kube_kinds.ts";
import { type Backend, startBackend } from "./operator_backend.ts";
import { eventually, keepLooking, look, type Looking, lookingClient } from "./operator_look.ts";
import {
  backendsByPath,
  ingress,
  type IngressPaths,
  type RouteParts,
  service,
  x402Route,
} from "./operator_manifests.ts";
import { type OperatorOptions, type OperatorProcess, startOperator } from "./operator_process.ts";
import type { TestCluster } from "./test_cluster.ts";

/** Terms of the Lease that let a test see several leaders within its time. */
export const shortLease: readonly string[] = [
  ...["--lease-duration", "3s", "--renew-deadline", "2s", "--retry-period", "500ms"],
];

type Options = Omit<OperatorOptions, "namespace">;

/** A namespace of a user with little backends, and the operators that look after it. */
export class Scenario implements AsyncDisposable {
  readonly admin: KubeAdmin;
  /** Of the user's Ingresses; of no other test. */
  readonly host: string;
  readonly #backends: Backend[] = [];
  readonly #client = lookingClient();

  private constructor(
    private readonly cluster: TestCluster,
    readonly namespace: string,
    readonly operatorNamespace: string,
    /** All that were started, those that have ended as well. */
    readonly operators: OperatorProcess[],
  ) {
    this.admin = cluster.admin;
    this.host = `${namespace}.test`;
  }

  /** With the Services `api` and `site`, and without an operator. */
  static async create(cluster: TestCluster): Promise<Scenario> {
    const operatorNamespace = await cluster.createNamespace();
    return await Scenario.#create(cluster, operatorNamespace, []);
  }

  /** The same with a running operator. */
  static async start(cluster: TestCluster, options: Options = {}): Promise<Scenario> {
    const scenario = await Scenario.create(cluster);
    try {
      await scenario.startOperator(options);
      return scenario;
    } catch (error) {
      await scenario[Symbol.asyncDispose]();
      throw error;
    }
  }

  static async #create(cluster: TestCluster, operatorNamespace: string, all: OperatorProcess[]) {
    const namespace = await cluster.createNamespace();
    const scenario = new Scenario(cluster, namespace, operatorNamespace, all);
    await Promise.all([scenario.addService("api"), scenario.addService("site")]);
    return scenario;
  }

  /** Another user's namespace, with the same operators. */
  neighbour(): Promise<Scenario> {
    return Scenario.#create(this.cluster, this.operatorNamespace, this.operators);
  }

  /** The operator that was started last. */
  get operator(): OperatorProcess {
    return this.operators.at(-1)!;
  }

  /** One more replica; resolves when it is ready. ExternalName is how it reaches the backends. */
  async startOperator({ flags = [], ...options }: Options = {}): Promise<OperatorProcess> {
    const operator = await startOperator(this.cluster, {
      namespace: this.operatorNamespace,
      flags: ["--allow-external-name", ...flags],
      ...options,
    });
    this.operators.push(operator);
    await operator.waitUntilReady();
    return operator;
  }

  /** Starts a backend that answers with its name, and creates the Service of that name for it. */
  async addService(name: string, namespace = this.namespace): Promise<void> {
    const backend = startBackend(name);
    this.#backends.push(backend);
    await this.admin.apply(service(namespace, name, backend.port));
  }

  /** An Ingress of the host; paths are of type Prefix, and lead to port `http` of the Service. */
  applyIngress(name: string, paths: IngressPaths): Promise<Live<"Ingress">> {
    return this.admin.apply(ingress(this.namespace, name, { [this.host]: paths }));
  }

  /** X402Routes are about the Ingress `web` unless they say otherwise. */
  applyRoute(name: string, parts: RouteParts): Promise<Live<"X402Route">> {
    return this.admin.apply(x402Route(this.namespace, name, parts));
  }

  /** Where the paths of the Ingress lead, `SERVICE:PORT` by path. */
  async backends(name: string): Promise<IngressPaths> {
    return backendsOf(await this.admin.get("Ingress", { namespace: this.namespace, name }));
  }

  /** Resolves when the paths of the Ingress lead there; `{}` when it has none. */
  async untilBackends(name: string, expected: IngressPaths, timeout?: number) {
    const wanted = JSON.stringify(sorted(expected));
    const live = await this.admin.waitUntil(
      "Ingress",
      { namespace: this.namespace, name },
      (it) => it !== undefined && JSON.stringify(sorted(backendsOf(it))) === wanted,
      timeout,
    );
    return live!;
  }

  /**
   * Resolves when the X402Route's condition has that status and reason, about its manifest as it is
   * now; for `Ready` that is what `kubectl wait` waits for.
   */
  async untilCondition(name: string, type: string, reason: string, timeout?: number) {
    const live = await this.admin.waitUntil(
      "X402Route",
      { namespace: this.namespace, name },
      (it) => {
        const found = it?.status?.conditions?.find((each) => each.type === type);
        return found?.reason === reason && found.observedGeneration === it?.metadata.generation;
      },
      timeout,
    );
    return live!;
  }

  untilReady(name: string, timeout?: number): Promise<Live<"X402Route">> {
    return this.untilCondition(name, "Ready", "Ready", timeout);
  }

  /** Resolves when the object is there no more. */
  async untilGone(kind: "X402Route" | "Service" | "EndpointSlice", name: string, timeout?: number) {
    const { namespace } = this;
    await this.admin.waitUntil(kind, { namespace, name }, (it) => it === undefined, timeout);
  }

  async delete(kind: "Ingress" | "Service" | "X402Route", name: string): Promise<void> {
    await this.admin.delete(kind, { namespace: this.namespace, name });
  }

  /** How the gateway answers GET and POST: `api 402` if the backend `api` and a 402. */
  look(path: string, operator = this.operator, host = this.host): Promise<string> {
    return look(this.#client, operator.gatewayUrl + path, host);
  }

  /** Resolves when it looks like that; when the gateway learns of a change, nothing tells. */
  untilLook(path: string, expected: string, operator = this.operator): Promise<void> {
    return eventually(() => this.look(path, operator), expected);
  }

  /** Looks without a pause until it is told to end. */
  keepLooking(path: string, expected: string | string[], operator = this.operator): Looking {
    return keepLooking(() => this.look(path, operator), [expected].flat());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    await Promise.all(this.operators.map((operator) => operator[Symbol.asyncDispose]()));
    await Promise.all(this.#backends.map((backend) => backend[Symbol.asyncDispose]()));
  }
}

/** Whatever the host. */
function backendsOf({ spec }: Live<"Ingress">): IngressPaths {
  return backendsByPath((spec?.rules ?? []).flatMap(({ http }) => http?.paths ?? []));
}

function sorted(paths: IngressPaths): [string, string][] {
  return Object.entries(paths).sort(([a], [b]) => a < b ? -1 : 1);
}

/** Runs all cases at once; the error names those that failed. */
export async function inAllCases<Case extends { readonly what: string }>(
  cases: readonly Case[],
  run: (each: Case) => Promise<void>,
): Promise<void> {
  const outcomes = await Promise.allSettled(cases.map((each) => run(each)));
  const failures = outcomes.flatMap((outcome, index) =>
    outcome.status === "rejected" ? [`${cases[index]!.what}: ${outcome.reason.stack}`] : []
  );
  if (failures.length > 0) throw new Error(failures.join("\n\n"));
}
