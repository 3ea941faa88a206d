/**
 * `deno run -A keep_cluster.ts PID`: runs an API server with the CRD on it until process PID has
 * ended; prints one line, the JSON of its ClusterAccess.
 */
import { keepForRun } from "../rig/keeper.ts";
import { type ApiServer, type ClusterAccess, startApiServer } from "./api_server.ts";
import { installCrd } from "./install_crd.ts";
import { KubeAdmin } from "./kube_admin.ts";

async function keep(server: ApiServer): Promise<void> {
  using admin = new KubeAdmin(server);
  await installCrd(admin);
  const { url, caPem, adminToken, kubeconfig } = server;
  const access: ClusterAccess = { url, caPem, adminToken, kubeconfig };
  await keepForRun(JSON.stringify(access));
}

{
  await using server = await startApiServer();
  await keep(server);
}
Deno.exit(0);
