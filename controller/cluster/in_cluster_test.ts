import assert from "node:assert/strict";
import { join } from "node:path";
import { inClusterConnection } from "./in_cluster.ts";
import { withEnvironment } from "./test_environment.ts";

const pod = { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "443" };

const servers: readonly [host: string, server: string][] = [
  ["10.0.0.1", "https://10.0.0.1:443"],
  ["fd00::1", "https://[fd00::1]:443"],
  ["kubernetes.example", "https://kubernetes.example:443"],
];

for (const [host, server] of servers) {
  Deno.test(`the API server of a pod with KUBERNETES_SERVICE_HOST=${host}`, async () => {
    await inPod({ ...pod, KUBERNETES_SERVICE_HOST: host }, {}, async (directory) => {
      const connection = await inClusterConnection(directory);
      using _ = connection.client;
      assert.equal(connection.server, server);
      assert.equal(connection.namespace, "x402-system");
    });
  });
}

Deno.test("a token is read anew after a minute, and at once when it was refused", async () => {
  await inPod(pod, {}, async (directory) => {
    const connection = await inClusterConnection(directory);
    using _ = connection.client;
    const { now } = performance;
    try {
      const token = async () => (await connection.headers())[0]![1];
      Deno.writeTextFileSync(join(directory, "token"), "second");
      assert.equal(await token(), "Bearer first");
      performance.now = () => now.call(performance) + 61_000;
      assert.equal(await token(), "Bearer second");
      Deno.writeTextFileSync(join(directory, "token"), "third");
      connection.forgetHeaders();
      assert.equal(await token(), "Bearer third");
    } finally {
      performance.now = now;
    }
  });
});

Deno.test("a token file that is away for a moment does not matter", async () => {
  await inPod(pod, {}, async (directory) => {
    const connection = await inClusterConnection(directory);
    using _ = connection.client;
    Deno.removeSync(join(directory, "token"));
    connection.forgetHeaders();
    assert.deepEqual(await connection.headers(), [["authorization", "Bearer first"]]);
  });
});

for (const missing of ["token", "ca.crt", "namespace"]) {
  Deno.test(`a pod without the file ${missing} is told so`, async () => {
    await inPod(pod, { [missing]: undefined }, async (directory) => {
      await assert.rejects(inClusterConnection(directory), {
        message: new RegExp(`^Cannot read ${join(directory, missing)} \\(No such file.*$`),
      });
    });
  });
}

Deno.test("a pod without the address of the API server is told so", async () => {
  await inPod({ KUBERNETES_SERVICE_HOST: "10.0.0.1" }, {}, async (directory) => {
    await assert.rejects(inClusterConnection(directory), {
      message:
        "The environment variable KUBERNETES_SERVICE_PORT is not set, as it is in every pod.",
    });
  });
});

/** Runs with a folder such as Kubernetes mounts it, with files left out that are `undefined`. */
async function inPod(
  environment: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string | undefined>>,
  run: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = Deno.makeTempDirSync();
  const files = { token: "first\n", "ca.crt": "", namespace: "x402-system\n", ...changes };
  for (const [name, text] of Object.entries(files)) {
    if (text !== undefined) Deno.writeTextFileSync(join(directory, name), text);
  }
  const all = { KUBERNETES_SERVICE_HOST: "", KUBERNETES_SERVICE_PORT: "", ...environment };
  await withEnvironment(all, () => run(directory));
  Deno.removeSync(directory, { recursive: true });
}
