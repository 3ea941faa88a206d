/** What facilitators support: from their sockets into problems that are told, and into offers. */
import assert from "node:assert/strict";
import { ingress } from "../controller/test_loop.ts";
import { type ManifestEvent, startManifestLoop } from "../controller/mod.ts";
import { FacilitatorSupport, type SupportedKind } from "../store/facilitator_support.ts";
import { startGateway as startProgram } from "./rig/gateway_process.ts";
import { startPaidApi } from "./rig/paid_api.ts";
import { allowLoopback } from "./rig/rig.ts";
import { signPayment } from "./rig/sign_payment.ts";
import { startTestGateway } from "./support/test_gateway.ts";

const base: SupportedKind = { x402Version: 2, scheme: "exact", network: "eip155:8453" };
const sepolia: SupportedKind = { ...base, network: "eip155:84532" };

/** Accepts every payment, and says that it supports `kinds`. */
function startFacilitator(port: number, ...kinds: SupportedKind[]) {
  const verified: { paymentRequirements: { extra: unknown } }[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/supported") return Response.json({ kinds, extensions: [], signers: {} });
    if (pathname === "/verify") verified.push(await request.json());
    const settled = { transaction: "0x" + "5e".repeat(32), network: sepolia.network };
    return Response.json({ isValid: true, success: true, ...settled });
  });
  return {
    kinds,
    verified,
    port: server.addr.port,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

function route(name: string, facilitatorPort: number): string {
  return `---
apiVersion: x402.io/v1alpha1
kind: X402Route
metadata: { name: ${name} }
spec:
  ingressRef: { name: api }
  payment:
    wallet: "0x1f6004907Adc7d313768b85917e069e011150390"
    network: base-sepolia
    defaultPrice: "0.001"
    facilitatorURL: http://127.0.0.1:${facilitatorPort}
  routes: [{ path: /${name} }]
`;
}

/** A folder with an Ingress to the API, and these X402Routes. */
async function writeManifests(apiPort: number, routes: string) {
  const folder = await Deno.makeTempDir({ prefix: "x402-support-" });
  const text = ingress.replace("number: 80", `number: ${apiPort}`) + routes;
  await Deno.writeTextFile(`${folder}/all.yaml`, text);
  return { folder, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

/** The program without its command line, which asks every 20 ms. */
function startAsking(folder: string) {
  const support = new FacilitatorSupport();
  const times = { refreshMs: 20, retryMs: 20, maxRetryMs: 20 };
  const gateway = startTestGateway(
    undefined,
    { allowedFacilitatorHosts: ["127.0.0.1"] },
    undefined,
    { support, ...times },
  );
  const stop = new AbortController();
  const events: ManifestEvent[] = [];
  const news = new EventTarget();
  const loop = startManifestLoop({
    folder,
    facilitators: support,
    options: {
      allowExternalName: true,
      allowedFacilitatorHosts: ["127.0.0.1"],
      clusterDomain: "cluster.local",
    },
    publish: (snapshot) => gateway.gateway.publish(snapshot),
    report(event) {
      events.push(event);
      news.dispatchEvent(new Event("event"));
    },
    signal: stop.signal,
  });
  return {
    gateway,
    events,
    /** The next event of this type. */
    async event<T extends ManifestEvent["type"]>(type: T) {
      for (;;) {
        const event = events.shift();
        if (event?.type === type) return event as Extract<ManifestEvent, { type: T }>;
        if (event !== undefined) continue;
        await new Promise((resolve) => news.addEventListener("event", resolve, { once: true }));
      }
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await loop;
      await gateway[Symbol.asyncDispose]();
    },
  };
}

/** The offers of both versions. */
async function offers(url: string) {
  const reply = await fetch(url);
  assert.equal(reply.status, 402);
  const { accepts: [v1] } = await reply.json();
  const { accepts: [v2] } = JSON.parse(atob(reply.headers.get("payment-required")!));
  return { v1, v2 };
}

Deno.test("a facilitator that is away at the start, lacks the network, and gets it", async () => {
  await using api = startPaidApi();
  const port = freePort();
  await using manifests = await writeManifests(api.port, route("paid", port));
  await using program = startAsking(manifests.folder);
  const paid = `${program.gateway.url}/paid`;
  const ours = { name: "USDC", version: "2" };

  await program.event("snapshot-published");
  assert.deepEqual((await offers(paid)).v2.extra, ours, "offers wait for no facilitator");

  await using facilitator = startFacilitator(port, base);
  const { kind, inForce, route: name } = await program.event("route-problem");
  assert.deepEqual({ kind, inForce, name }, {
    ...{ kind: "network-not-supported", inForce: "as written", name: "default/paid" },
  });
  await program.event("snapshot-published");
  assert.deepEqual((await offers(paid)).v2.extra, ours, "nothing becomes free or unavailable");

  facilitator.kinds.push({ ...sepolia, extra: { feePayer: "0x01", name: "Other" } });
  await program.event("snapshot-published");
  const { v1, v2 } = await offers(paid);
  assert.deepEqual([v1.extra, v2.extra], [ours, { ...ours, feePayer: "0x01" }]);
  const unanswered = program.gateway.log.filter(({ msg }) => String(msg).includes("supports"));
  assert.deepEqual(unanswered.map(({ level }) => level), ["warn", "info"]);

  facilitator.kinds.splice(0, 2, { ...sepolia, extra: { feePayer: "0x02" } });
  await program.event("snapshot-published");
  const payment = await signPayment({ version: 2, buyer: 1, requirements: v2 });
  const reply = await fetch(paid, { headers: [payment.header] });
  assert.equal(reply.status, 200, await reply.text());
  assert.deepEqual(facilitator.verified.map(({ paymentRequirements: { extra } }) => extra), [
    { ...ours, feePayer: "0x02" },
  ]);
});

Deno.test("the program asks at once, and starts without an answer", async () => {
  await using api = startPaidApi();
  await using facilitator = startFacilitator(0, base);
  const routes = route("lacking", facilitator.port) + route("away", freePort());
  await using manifests = await writeManifests(api.port, routes);
  const options = { manifests: manifests.folder, flags: allowLoopback };
  await using program = await startProgram(options);
  const problem = await program.logged("X402Route does not work as written");
  assert.deepEqual([problem.level, problem.route], ["warn", "default/lacking"]);
  const unanswered = "facilitator does not say what it supports, it is asked again";
  assert.equal((await program.logged(unanswered)).level, "warn");
  for (const name of ["lacking", "away"]) await offers(`${program.url}/${name}`);
  assert.equal(await program.stop(), 0);
});
