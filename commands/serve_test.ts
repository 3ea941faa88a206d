import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { startGateway } from "../tests/rig/gateway_process.ts";

const manifests = fileURLToPath(new URL("../deploy/samples", import.meta.url));
const allow = ["--allow-facilitator-host", "localhost"];

async function statusOf(url: string): Promise<number> {
  const reply = await fetch(url);
  await reply.body?.cancel();
  return reply.status;
}

Deno.test("--shutdown-delay: not ready, but taking requests, until a second signal", async () => {
  const flags = [...allow, "--shutdown-delay", "1h"];
  await using gateway = await startGateway({ manifests, flags });
  Deno.kill(gateway.pid, "SIGTERM");
  await gateway.logged("not ready any more, requests are still taken");
  assert.equal(await statusOf(`${gateway.probeUrl}/readyz`), 503);
  assert.equal(await statusOf(`${gateway.url}/api/weather`), 402);
  assert.equal(await gateway.stop(), 0);
  assert.ok(gateway.log().some(({ msg }) => msg === "draining"));
});

Deno.test("--shutdown-delay ends by itself", async () => {
  const flags = [...allow, "--shutdown-delay", "300ms"];
  await using gateway = await startGateway({ manifests, flags });
  const told = performance.now();
  assert.equal(await gateway.stop(), 0);
  assert.ok(performance.now() - told >= 300);
});
