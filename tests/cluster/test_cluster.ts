/** Tests against a real API server. */
import { join } from "node:path";
import { type ApiServer, type ClusterAccess, startApiServer } from "./api_server.ts";
import { findAssets } from "./assets.ts";
import { installCrd } from "./install_crd.ts";
import { KubeAdmin, type Ref } from "./kube_admin.ts";
import type { Kind } from "./kube_kinds.ts";
import { sharedServer } from "./shared_server.ts";
import { testUnless } from "./test_requirement.ts";

/** The API server of the run, as one test sees it. */
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

  /** Removes the test's objects, which an operator of a later test must not find. */
  async clear(): Promise<void> {
    for (const namespace of this.#namespaces) await clear(this.admin, namespace);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.admin[Symbol.dispose]();
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

/** What a cluster test misses here, and how to get it. */
export const missingAssets = await findAssets() === undefined
  ? "kube-apiserver and etcd are not there; get them with `deno task cluster:assets`."
  : undefined;

/** A test on the API server that all tests of the run share. */
export function clusterTest(name: string, fn: (cluster: TestCluster) => Promise<void>): void {
  testUnless(missingAssets, name, () => runOnSharedServer(fn));
}

/** A test on an API server of its own, with the CRD on it, which it may stop and restart. */
export function serverTest(
  name: string,
  fn: (cluster: TestCluster, server: ApiServer) => Promise<void>,
): void {
  testUnless(missingAssets, name, async () => {
    await using server = await startApiServer();
    await using cluster = new TestCluster(server);
    await installCrd(cluster.admin);
    await fn(cluster, server);
  });
}

/** Runs `fn` on the API server that all tests of the run share, and clears up behind it. */
export async function runOnSharedServer(
  fn: (cluster: TestCluster) => Promise<void>,
): Promise<void> {
  await using cluster = new TestCluster(await sharedServer());
  try {
    await fn(cluster);
  } finally {
    await cluster.clear();
  }
}
