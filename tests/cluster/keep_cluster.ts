/**
 * `deno run -A keep_cluster.ts PID`: runs an API server with the CRD on it until process PID has
 * ended; prints one line, the JSON of its ClusterAccess.
 */
import { kill } from "node:process";
import { type ApiServer, type ClusterAccess, startApiServer } from "./api_server.ts";
import { installCrd } from "./install_crd.ts";
import { KubeAdmin } from "./kube_admin.ts";

/** How often it is looked whether the process is there, in ms. */
const interval = 500;

async function keep(server: ApiServer, owner: number): Promise<void> {
  using admin = new KubeAdmin(server);
  await installCrd(admin);
  const { url, caPem, adminToken, kubeconfig } = server;
  const access: ClusterAccess = { url, caPem, adminToken, kubeconfig };
  await Deno.stdout.write(new TextEncoder().encode(`${JSON.stringify(access)}\n`));
  while (await isRunning(owner)) await new Promise((resolve) => setTimeout(resolve, interval));
}

async function isRunning(pid: number): Promise<boolean> {
  try {
    kill(pid, 0);
    if (Deno.build.os !== "linux") return true;
    // A process that was killed is listed, as a zombie, until its parent asks for its exit code.
    return !/\) [ZX] /.test(await Deno.readTextFile(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
}

const interruption = Promise.withResolvers<void>();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  Deno.addSignalListener(signal, () => interruption.resolve());
}
{
  await using server = await startApiServer();
  await Promise.race([keep(server, Number(Deno.args[0])), interruption.promise]);
}
Deno.exit(0);
