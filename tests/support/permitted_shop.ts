/** A gateway without a cluster that may do nothing but what it is told, and all that it meets. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { allowLoopback } from "../rig/rig.ts";
import { renderSamples } from "../rig/sample_manifests.ts";
import { signPayment, usdcRequirements } from "../rig/sign_payment.ts";
import { startHeldBackend } from "./held_backend.ts";
import type { Permissions } from "./permissions.ts";
import { PermittedServer } from "./permitted_program.ts";
import { startScriptedFacilitator } from "./scripted_facilitator.ts";

/** Flags of a server on free ports, with a worker. */
export const listening = [
  ...[
    "--listen",
    "127.0.0.1:0",
    "--metrics-listen",
    "127.0.0.1:0",
    "--probe-listen",
    "127.0.0.1:0",
  ],
  ...["--workers", "2", "--shutdown-delay", "0s"],
];
const credentials = "Bearer of-the-facilitator";
/** One facilitator is reached directly, the other one through a proxy that is not there. */
const environment = {
  ...Object.fromEntries(
    ["HTTP_PROXY", "ALL_PROXY"].flatMap((name) => [[name, ""], [name.toLowerCase(), ""]]),
  ),
  ...{ HTTPS_PROXY: "http://127.0.0.1:9", https_proxy: "", NO_PROXY: "", no_proxy: "" },
};

/** Folders of a gateway without a cluster, and what it sells. */
export async function startShop() {
  await using started = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "x402-permissions-" });
  started.defer(() => Deno.remove(folder, { recursive: true }));
  const folders = {
    manifests: join(folder, "manifests"),
    data: join(folder, "data"),
    secrets: join(folder, "secrets"),
  };
  for (const path of Object.values(folders)) await Deno.mkdir(path);
  const backend = started.use(startHeldBackend());
  backend.release();
  const facilitator = started.use(startScriptedFacilitator());
  const { port } = new URL(facilitator.url);
  const headers = `http://localhost:${port}:\n  Authorization: ${credentials}\n`;
  await Deno.writeTextFile(join(folders.secrets, "headers.yaml"), headers);
  const ports = { api: backend.port, facilitator: Number(port) };
  await renderSamples(folders.manifests, ports);
  const route = await Deno.readTextFile(join(folders.manifests, "x402route.yaml"));
  const other = route.replace(/name: .*$/m, "name: other")
    .replace(`http://localhost:${port}`, "https://facilitator.invalid")
    .replace(/routes:[^]*/, "routes:\n    - path: /other\n");
  await Deno.writeTextFile(join(folders.manifests, "other.yaml"), other);
  const running = started.move();
  let changes = 0;
  return {
    ...folders,
    facilitator,
    changeManifest: () =>
      Deno.writeTextFile(
        join(folders.manifests, "other.yaml"),
        other.replace("/other", `/other/${++changes}`),
      ),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

export type Shop = Awaited<ReturnType<typeof startShop>>;

/**
 * The whole life of a gateway: it reads its files, is paid, calls a backend, takes up changed
 * manifests, starts a worker, and ends.
 * @throws {Error} when anything of it fails
 */
export async function runGateway(
  shop: Shop,
  permissions: Permissions,
  ledger: string,
): Promise<void> {
  const args = [
    ...["gateway", "--manifests", shop.manifests, ...listening, ...allowLoopback],
    ...["--ledger", ledger, "--facilitator-headers-file", join(shop.secrets, "headers.yaml")],
    // It looks for proxies in the environment at its start.
    ...["--upstream-transport", "fetch"],
  ];
  await using gateway = new PermittedServer(permissions, args, environment);
  const { gateway: address } = await gateway.logged("gateway listening");
  await gateway.logged("routes in force");
  await gateway.logged("facilitator does not say what it supports, it is asked again");
  await gateway.logged("worker serves");
  const requirements = usdcRequirements(2, "1000", "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
  const { header } = await signPayment({ version: 2, buyer: 1, requirements });
  const reply = await fetch(`http://${address}/api/weather`, { headers: [header] });
  assert.equal(await reply.text(), "served\n");
  assert.equal(shop.facilitator.requests.at(-1)?.headers.get("authorization"), credentials);
  await shop.changeManifest();
  await gateway.logged("routes in force");
  await gateway.end();
}
