/** `deno task cluster`: an API server with all that `run` needs and the samples, until Ctrl-C. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startApiServer } from "./api_server.ts";
import { endpointAddress } from "./endpoint_address.ts";
import { installCrd } from "./install_crd.ts";
import { KubeAdmin } from "./kube_admin.ts";
import { applyOperatorService, setOperatorAddresses } from "./operator_service.ts";

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
  await applyOperatorService({ admin }, "default");
  // Nobody follows it here: the API server only wants an address that is not a loopback one.
  const addresses = [endpointAddress];
  await setOperatorAddresses({ admin }, "default", addresses, "http://gateway:8402");
  await print(`
The API server is ${server.url}. It has the CRD, the objects of deploy/samples and the Service
of an operator in the namespace default, and no controllers: pods do not run and namespaces are not
deleted. The operator is started with

   deno run -A main.ts run --kubeconfig ${server.kubeconfig} --operator-namespace default --allow-external-name --allow-facilitator-host localhost

and, for payments to get through, what the samples name: a facilitator on port 9402 and an API on
port 9090.

   deno run -A main.ts facilitator-stub
   deno eval 'Deno.serve({ port: 9090 }, () => new Response("sunny\\n"))'
   deno run -A main.ts pay http://localhost:8402/api/weather --dev-account 1 --max-amount 0.01

To look at it:

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
