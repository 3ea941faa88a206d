/** The operator's ServiceAccount, with exactly the rights that `deploy/rbac` gives it. */
import { clusterWideAccess, namespacedAccess } from "../../generate/role_manifests.ts";
import type { Manifest } from "./kube_admin.ts";
import { ApiError, KubeHttp } from "./kube_http.ts";
import { collectionPath, type Kind } from "./kube_kinds.ts";
import type { TestCluster } from "./test_cluster.ts";

/** How long the API server may take to know new roles, in ms: usually less than 100. */
const deadline = 10_000;

const operatorName = "x402-k8s-operator";

/** Name of the ClusterRole, the Roles and their bindings of the operator in `namespace`. */
export function rolesName(namespace: string): string {
  return `${operatorName}-${namespace}`;
}

/**
 * Makes the account of an operator that runs in `namespace`; resolves when its rights are in force.
 *
 * @param watched the namespaces that it watches; all when left out
 * @returns a folder with `token`, `ca.crt` and `namespace`, for `--service-account-dir`
 */
export async function operatorAccountDir(
  cluster: TestCluster,
  namespace: string,
  watched?: readonly string[],
): Promise<string> {
  const account = { namespace, name: operatorName };
  const roles = rolesName(namespace);
  const directory = await cluster.serviceAccountDir(account);
  const access = watched === undefined
    ? clusterWideAccess(account, roles)
    : namespacedAccess(account, roles, watched);
  for (const manifest of access) await cluster.admin.apply(manifest as Manifest);
  const adminToken = await Deno.readTextFile(`${directory}/token`);
  using http = new KubeHttp({ ...cluster.access, adminToken });
  for (const scope of watched ?? [undefined]) await allowed(http, "X402Route", scope);
  await allowed(http, "Lease", namespace, { fieldSelector: `metadata.name=${operatorName}` });
  return directory;
}

/** The API server learns of roles by a watch of its own, and nothing tells when it has. */
async function allowed(
  http: KubeHttp,
  kind: Kind,
  namespace: string | undefined,
  query: Record<string, string> = {},
): Promise<void> {
  for (const end = performance.now() + deadline;;) {
    try {
      return void await http.request("GET", collectionPath(kind, namespace), { query });
    } catch (error) {
      const isEarly = error instanceof ApiError && error.status === 403;
      if (!isEarly || performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
