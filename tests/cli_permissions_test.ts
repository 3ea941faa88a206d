/** The commands that are no servers, and what they may do. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { clusterTest, type TestCluster } from "./cluster/test_cluster.ts";
import { startHeldBackend } from "./support/held_backend.ts";
import { type Permissions, permissionSet } from "./support/permissions.ts";
import { PermittedServer, programFolder, runPermitted } from "./support/permitted_program.ts";
import { runGateway, startShop } from "./support/permitted_shop.ts";
import { startScriptedFacilitator } from "./support/scripted_facilitator.ts";
import { rule, snapshotOf, startTestGateway, usdcTerms } from "./support/test_gateway.ts";

const server = await permissionSet("server");
const cli = await permissionSet("cli");
/** What the shop's manifests need to mean something in a cluster. */
const lenient = ["--allow-external-name", "--allow-facilitator-host", "localhost"];

Deno.test("commands that are no servers do with the permissions of the servers", async (t) => {
  await using shop = await startShop();
  const ledger = join(shop.data, "payments.db");
  const read = [programFolder, shop.manifests, shop.data, shop.secrets];
  await runGateway(shop, { ...server, read, write: [shop.data] }, ledger);
  const reading = { ...server, read: [shop.manifests, shop.data] };
  const commands: readonly (readonly [Permissions, string[], RegExp, number?])[] = [
    [server, ["gateway", "--help"], /--rate-limit-unpaid/],
    [server, ["gateway", "--lisen"], /^error: .*--manifests/, 2],
    [reading, ["validate", "-f", shop.manifests, ...lenient], /^valid: 2 /m],
    [reading, ["plan", "-f", shop.manifests, ...lenient], /weather/],
    [reading, ["payments", "list", "--ledger", ledger], /weather-payments/],
    [reading, ["payments", "sum", "--ledger", ledger, "--by", "route"], /weather-payments/],
  ];
  for (const [permissions, args, says, expected = 0] of commands) {
    await t.step(args.slice(0, 2).join(" "), async () => {
      const { code, output } = await runPermitted(permissions, args);
      assert.match(output, says);
      assert.equal(code, expected, output);
    });
  }
  await t.step("gateway --help, without a variable that it looks for", async () => {
    const env = (server.env as string[]).filter((name) => name !== "CLICOLOR_FORCE");
    // With it the other variable would not be looked for.
    const colorful = { NO_COLOR: "" };
    const { code } = await runPermitted({ ...server, env }, ["gateway", "--help"], colorful);
    assert.equal(code, 1);
  });
  await t.step("payments list, without its file", async () => {
    const args = ["payments", "list", "--ledger", ledger];
    const { code, output } = await runPermitted({ ...server, read: [shop.manifests] }, args);
    assert.notEqual(code, 0, output);
  });
});

Deno.test("pay buys with the permissions of the servers and its key", async () => {
  await using facilitator = startScriptedFacilitator();
  await using backend = startHeldBackend();
  backend.release();
  const access = { kind: "paid", terms: usdcTerms(facilitator.url) } as const;
  await using gateway = startTestGateway(
    snapshotOf(`http://127.0.0.1:${backend.port}`, [rule("/paid", access)]),
  );
  const folder = await Deno.makeTempDir();
  try {
    const key = join(folder, "key");
    await Deno.writeTextFile(key, `0x${"11".repeat(32)}`);
    const args = ["pay", `${gateway.url}/paid`, "--private-key-file", key, "--max-amount", "1"];
    const { code, output } = await runPermitted({ ...server, read: [key] }, args);
    assert.match(output, /served/);
    assert.equal(code, 0, output);
    assert.notEqual((await runPermitted(server, args)).code, 0, "its key is not to be read");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("facilitator-stub needs nothing but the network and its variables", async () => {
  const { net, env } = server;
  const args = ["facilitator-stub", "--listen", "127.0.0.1:0"];
  await using stub = new PermittedServer({ net: net!, env: env! }, args);
  await stub.said(/127\.0\.0\.1:\d+/);
});

/** Starts of a program that is there under this name, and says this. */
async function fakeProgram(folder: string, name: string, says: string): Promise<void> {
  await Deno.writeTextFile(join(folder, name), `#!/bin/sh\n/bin/cat <<'END'\n${says}\nEND\n`);
  await Deno.chmod(join(folder, name), 0o755);
}

const kustomizers = ["kubectl", "kustomize"];
/** A kubeconfig may name any program. */
const plugins = ["aws", "a-plugin-that-nobody-has-heard-of"];

Deno.test("cli: beyond the servers' permissions, only programs and their environment", () => {
  assert.deepEqual(cli, { net: true, env: true, run: true });
});

Deno.test("cli: plan -k starts what makes manifests of a folder", async (t) => {
  await using shop = await startShop();
  const manifests = await Promise.all(
    ["ingress.yaml", "service.yaml", "x402route.yaml"]
      .map((name) => Deno.readTextFile(join(shop.manifests, name))),
  );
  const permissions = { ...cli, read: [shop.manifests] };
  for (const program of kustomizers) {
    await t.step(program, async () => {
      const folder = await Deno.makeTempDir();
      try {
        await fakeProgram(folder, program, manifests.join("\n---\n"));
        const env = { PATH: folder };
        const args = ["plan", "-k", shop.manifests, ...lenient];
        const { code, output } = await runPermitted(permissions, args, env);
        assert.equal(code, 0, output);
        assert.match(output, /weather/);
        const { run: _, ...without } = permissions;
        assert.notEqual((await runPermitted(without, args, env)).code, 0);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    });
  }
});

clusterTest(
  "cli: a kubeconfig may start each plugin, and needs the whole environment",
  async ({ access }) => {
    const folder = await Deno.makeTempDir();
    try {
      const all = { ...cli, read: [folder] };
      const credential = {
        apiVersion: "client.authentication.k8s.io/v1",
        kind: "ExecCredential",
        status: { token: access.adminToken },
      };
      const env = { PATH: folder };
      const restore = (permissions: Permissions, plugin: string) => {
        const args = [
          "restore",
          "--all",
          "--dry-run",
          "--kubeconfig",
          join(folder, plugin + ".yaml"),
        ];
        return runPermitted(permissions, args, env);
      };
      for (const plugin of plugins) {
        await fakeProgram(folder, plugin, JSON.stringify(credential));
        await Deno.writeTextFile(join(folder, plugin + ".yaml"), kubeconfig(access, plugin));
        const { code, output } = await restore(all, plugin);
        assert.equal(code, 0, output);
        const { run: _, ...without } = all;
        assert.notEqual((await restore(without, plugin)).code, 0, plugin);
      }
      assert.notEqual((await restore({ ...all, env: server.env! }, plugins[0]!)).code, 0);
      const { net: _, ...offline } = all;
      assert.notEqual((await restore(offline, plugins[0]!)).code, 0);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

function kubeconfig({ url, caPem }: TestCluster["access"], plugin: string): string {
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: plugin,
    interactiveMode: "Never",
  };
  const cluster = { server: url, "certificate-authority-data": btoa(caPem) };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    clusters: [{ name: "test", cluster }],
    users: [{ name: "test", user: { exec } }],
  });
}
