/** A gateway that is there before its database waits for it; one with wrong settings says so and ends. */
import assert from "node:assert/strict";
import { ChildProcess } from "../rig/child_process.ts";
import { sourceCommand } from "../rig/gateway_process.ts";
import { allowLoopback } from "../rig/rig.ts";
import { renderSamples } from "../rig/sample_manifests.ts";
import { postgresServerTest } from "../rig/test_postgres.ts";

async function manifestFolder() {
  const path = await Deno.makeTempDir({ prefix: "x402-late-ledger-" });
  await renderSamples(path, { api: 1, facilitator: 1 });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

function start(manifests: string, ledger: string): ChildProcess {
  const listening = ["--listen", "--metrics-listen", "--probe-listen"]
    .flatMap((flag) => [flag, "127.0.0.1:0"]);
  const flags = [...allowLoopback, ...listening, "--ledger", ledger];
  return new ChildProcess("gateway", [
    ...sourceCommand,
    "gateway",
    "--manifests",
    manifests,
    ...flags,
  ]);
}

function says(text: string) {
  return (line: string) => line.includes(text) || undefined;
}

postgresServerTest("a gateway waits for a database that is not up yet", async (server) => {
  const url = await server.createDatabase();
  await server.stop();
  await using manifests = await manifestFolder();
  await using gateway = start(manifests.path, url);
  await gateway.find(says("the ledger cannot be reached, it is tried again"));
  await server.restart();
  await gateway.find(says("routes in force"));
  assert.equal(await gateway.stop(), 0);
});

postgresServerTest(
  "a gateway that waits for its database ends when it is told to",
  async (server) => {
    const url = await server.createDatabase();
    await server.stop();
    await using manifests = await manifestFolder();
    await using gateway = start(manifests.path, url);
    await gateway.find(says("the ledger cannot be reached, it is tried again"));
    assert.equal(await gateway.stop(), 0);
  },
);

Deno.test("a gateway ends when it is told to while a server takes its connection and says nothing", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using manifests = await manifestFolder();
  const ledger = `postgres://shop:secret@127.0.0.1:${silent.addr.port}/payments`;
  await using gateway = start(manifests.path, ledger);
  using _connection = await silent.accept();
  assert.equal(await gateway.stop(), 0);
});

postgresServerTest("a gateway does not wait for a database that does not exist", async (server) => {
  const url = (await server.createDatabase()).replace(/\/[^/]*$/, "/nobody_made_it");
  await using manifests = await manifestFolder();
  await using gateway = start(manifests.path, url);
  assert.equal(await gateway.ended, 1);
  assert.ok(gateway.lines.some((line) => line.includes("nobody_made_it")));
});
