/** `deno task cluster`: an API server with the CRD and the samples on it, until Ctrl-C. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startApiServer } from "./api_server.ts";
import { installCrd } from "./install_crd.ts";
import { KubeAdmin } from "./kube_admin.ts";

const samples = fileURLToPath(new URL("../../deploy/samples/", import.meta.url));

async function print(text: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${text}\n`));
}

async function applySamples(admin: KubeAdmin): Promise<void> {
  for await (const { name } of Deno.readDir(samples)) {
    await admin.applyYaml(await Deno.readTextFile(join(samples, name)));
  }
}

/** Returns when `interrupted` resolves, with everything stopped. */
async function run(interrupted: Promise<void>): Promise<void> {
  await print("Starting etcd and kube-apiserver.");
  await using server = await startApiServer();
  using admin = new KubeAdmin(server);
  await installCrd(admin);
  await applySamples(admin);
  await print(`
The API server is ${server.url}. It has the CRD and the objects of deploy/samples, and no
controllers: pods do not run and namespaces are not deleted.

   export KUBECONFIG=${server.kubeconfig}
   kubectl get x402routes,ingresses,services
   kubectl edit x402route weather-payments
   kubectl explain x402route.spec.routes

Ctrl-C ends it and removes its data.`);
  await interrupted;
}

const interruption = Promise.withResolvers<void>();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => interruption.resolve());
}
try {
  await run(interruption.promise);
  Deno.exit(0);
} catch (error) {
  await print(`The cluster failed: ${(error as Error).message}`);
  Deno.exit(1);
}
