/**
 * The servers run with exactly the permissions that deno.json names, and the paths that they are told:
 * without any one of them something fails.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { clusterTest, type TestCluster } from "./cluster/test_cluster.ts";
import { operatorAccountDir } from "./cluster/operator_account.ts";
import { postgresTest } from "./rig/test_postgres.ts";
import { type Permissions, permissionSet, withoutEach } from "./support/permissions.ts";
import { PermittedServer, programFolder } from "./support/permitted_program.ts";
import { listening, runGateway, startShop } from "./support/permitted_shop.ts";

/** What each process needs of the set `server`: without any of it something has to fail. */
const needs = {
  "a gateway on SQLite": [
    ...["X402_*", "LOG_STREAM", "LOG_TOKENS"],
    ...["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"].flatMap((name) => [
      name,
      name.toLowerCase(),
    ]),
  ],
  "a gateway on PostgreSQL": ["PG*"],
  "an operator": ["KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "HOSTNAME"],
  "help": ["CLICOLOR_FORCE"],
} as const;

const server = await permissionSet("server");
/** An operator as a pod: it reads its credentials and the cluster, leads, and ends. */
async function runOperator(
  { access }: TestCluster,
  permissions: Permissions,
  namespace: string,
  account: string,
): Promise<void> {
  const args = [
    ...["run", ...listening, "--operator-namespace", namespace, "--watch-namespaces", namespace],
    ...["--service-account-dir", account, "--log-level", "debug"],
  ];
  const { hostname, port } = new URL(access.url);
  const pod = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
  await using operator = new PermittedServer(permissions, args, pod);
  await operator.logged("gateway listening");
  await operator.logged("routes in force");
  await operator.end();
}

/** What is missing here makes this fail; what is left over does not. */
async function checkEach(
  permissions: ReadonlyMap<string, Permissions>,
  run: (permissions: Permissions) => Promise<unknown>,
): Promise<void> {
  const unneeded: string[] = [];
  const left = [...permissions];
  const oneByOne = async () => {
    for (let next; (next = left.shift()) !== undefined;) {
      const [name, others] = next;
      await run(others).then(() => unneeded.push(name), () => {});
    }
  };
  await Promise.all([oneByOne(), oneByOne()]);
  assert.deepEqual(unneeded, []);
}

/** Without each of these variables, or of all else. */
function without(permissions: Permissions, variables: readonly string[]): Map<string, Permissions> {
  const others = withoutEach(permissions);
  for (const name of others.keys()) {
    const variable = /^env (.*)/.exec(name)?.[1];
    if (variable !== undefined && !variables.includes(variable)) others.delete(name);
  }
  return others;
}

Deno.test("no permission of the servers is there that nobody needs, and none to start programs", () => {
  assert.deepEqual(Object.keys(server), ["net", "env"]);
  assert.deepEqual([...server.env as string[]].sort(), Object.values(needs).flat().sort());
});

Deno.test("gateway: all that it needs, and nothing else", async (t) => {
  await using shop = await startShop();
  const ledger = join(shop.data, "payments.db");
  const all = {
    ...server,
    read: [programFolder, shop.manifests, shop.data, shop.secrets],
    write: [shop.data],
  };
  await t.step("works", () => runGateway(shop, all, ledger));
  await t.step("fails without any of it", () =>
    checkEach(
      without(all, needs["a gateway on SQLite"]),
      (permissions) => runGateway(shop, permissions, ledger),
    ));
});

postgresTest("gateway on PostgreSQL: all that it needs, and nothing to write", async (postgres) => {
  await using shop = await startShop();
  const ledger = await postgres.createDatabase();
  const run = (permissions: Permissions) => runGateway(shop, permissions, ledger);
  const all = { ...server, read: [programFolder, shop.manifests, shop.secrets] };
  await run(all);
  await checkEach(without(all, needs["a gateway on PostgreSQL"]), run);
});

clusterTest("run in a cluster: all that it needs, and nothing to write", async (cluster) => {
  const namespace = await cluster.createNamespace();
  const account = await operatorAccountDir(cluster, namespace, [namespace]);
  const all = { ...server, read: [programFolder, account] };
  const run = (permissions: Permissions) => runOperator(cluster, permissions, namespace, account);
  await run(all);
  await checkEach(without(all, needs["an operator"]), run);
});

Deno.test("-P=server is the set of that name", async () => {
  const args = ["run", "-P=server", "--no-prompt", `${programFolder}/main.ts`, "gateway", "--help"];
  const { code } = await new Deno.Command(Deno.execPath(), { args, stdout: "null" }).output();
  assert.equal(code, 0);
});
