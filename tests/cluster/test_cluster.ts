/** Tests against a real API server. */
import { join } from "node:path";
import { type ApiServer, type ClusterAccess, startApiServer } from "./api_server.ts";
import { findAssets } from "./assets.ts";
import { installCrd } from "./install_crd.ts";
import { KubeAdmin, type Ref } from "./kube_admin.ts";
import type { Kind } from "./kube_kinds.ts";
import { sharedServer } from "./shared_server.ts";

/** The API server of the run, as one test sees it; what the test leaves behind is cleared away. */
export class TestCluster implements AsyncDisposable {
  readonly admin: KubeAdmin;
  readonly #namespaces: string[] = [];
  readonly #folders: string[] = [];

  constructor(readonly access: ClusterAccess) {
    this.admin = new KubeAdmin(access);
  }

  /** A namespace for this test alone. */
  async createNamespace(): Promise<string> {
    const name = await this.admin.createNamespace();
    this.#namespaces.push(name);
    return name;
  }

  /**
   * A folder such as a pod finds its credentials in: `token`, `ca.crt` and `namespace`. The
   * ServiceAccount is created where it is not there.
   */
  async serviceAccountDir(serviceAccount: Ref & { readonly namespace: string }): Promise<string> {
    const folder = await Deno.makeTempDir({ prefix: "x402-account-" });
    this.#folders.push(folder);
    await this.admin.apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: serviceAccount });
    const files = {
      token: await this.admin.token(serviceAccount),
      "ca.crt": this.access.caPem,
      namespace: serviceAccount.namespace,
    };
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(join(folder, name), text);
    }
    return folder;
  }

  /** An operator of a later test that watches all namespaces must not find this test's objects. */
  async [Symbol.asyncDispose](): Promise<void> {
    using admin = this.admin;
    for (const namespace of this.#namespaces) await clear(admin, namespace);
    for (const folder of this.#folders) await Deno.remove(folder, { recursive: true });
  }
}

/** What operators look at. */
const clearedKinds: readonly Kind[] = ["X402Route", "Ingress", "Service", "EndpointSlice", "Lease"];

/** All kinds at once: to list what is not there, the API server waits for news from etcd. */
async function clear(admin: KubeAdmin, namespace: string): Promise<void> {
  await Promise.all(clearedKinds.map(async (kind) => {
    await admin.deleteAll(kind, namespace);
    for (const { metadata } of await admin.list(kind, { namespace })) {
      await admin.patch(kind, metadata, { metadata: { finalizers: null } });
    }
  }));
}

/** The run's setting that nothing may be left out. */
const requireAll = Deno.env.get("X402_TEST_REQUIRE_ALL") === "1";

/** Set once the run has said what is missing; all test files share the environment. */
const told = "X402_TEST_CLUSTER_MISSING";

const missing = "The cluster tests are left out: kube-apiserver and etcd are not there. " +
  "Get them with `deno task cluster:assets`.";

const assets = await findAssets();

/**
 * A test on the API server that all tests of the run share. Without kube-apiserver and etcd it is
 * ignored, or fails if X402_TEST_REQUIRE_ALL=1.
 */
export function clusterTest(name: string, fn: (cluster: TestCluster) => Promise<void>): void {
  testWithAssets(name, async () => {
    await using cluster = new TestCluster(await sharedServer());
    await fn(cluster);
  });
}

/** A test on an API server of its own, with the CRD on it, which it may stop and restart. */
export function serverTest(
  name: string,
  fn: (cluster: TestCluster, server: ApiServer) => Promise<void>,
): void {
  testWithAssets(name, async () => {
    await using server = await startApiServer();
    await using cluster = new TestCluster(server);
    await installCrd(cluster.admin);
    await fn(cluster, server);
  });
}

function testWithAssets(name: string, fn: () => Promise<void>): void {
  if (assets === undefined && !requireAll) {
    tellOnce();
    Deno.test.ignore(name, fn);
    return;
  }
  Deno.test(name, async () => {
    if (assets === undefined) throw new Error(missing);
    await fn();
  });
}

function tellOnce(): void {
  if (Deno.env.has(told)) return;
  Deno.env.set(told, "1");
  Deno.stderr.writeSync(new TextEncoder().encode(`${missing}\n`));
}
