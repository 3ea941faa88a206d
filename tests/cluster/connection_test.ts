/** The ways into a real cluster. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { findConnection } from "../../controller/cluster/connection.ts";
import { KubeClient } from "../../controller/cluster/kube_client.ts";
import { withEnvironment } from "../../controller/cluster/test_environment.ts";
import { clusterTest } from "./test_cluster.ts";

clusterTest(
  "a pod is let in as its ServiceAccount, also after its token was replaced",
  async (cluster) => {
    const namespace = await cluster.createNamespace();
    const directory = await cluster.serviceAccountDir({ namespace, name: "operator" });
    const token = join(directory, "token");
    const good = await Deno.readTextFile(token);
    await Deno.writeTextFile(token, "replaced");
    const { hostname, port } = new URL(cluster.access.url);
    const pod = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
    const connection = await withEnvironment(
      pod,
      () => findConnection({ serviceAccountDir: directory }),
    );
    const client = new KubeClient(connection, "test/1");
    await Deno.writeTextFile(token, good);
    const path = `/api/v1/namespaces/${connection.namespace}/secrets`;
    await assert.rejects(client.request("GET", path), {
      status: 403,
      reason: "Forbidden",
      message: new RegExp(`User "system:serviceaccount:${namespace}:operator" cannot list`),
    });
    client.close();
  },
);

clusterTest("a kubeconfig lets its user in", async (cluster) => {
  const { kubeconfig } = cluster.access;
  const connection = await findConnection({ kubeconfig, serviceAccountDir: "/nowhere" });
  const client = new KubeClient(connection, "test/1");
  await client.request("GET", "/api/v1/secrets");
  client.close();
});

clusterTest("an API server of another authority is not trusted", async (cluster) => {
  const directory = await cluster.serviceAccountDir({ namespace: "default", name: "operator" });
  await Deno.writeTextFile(join(directory, "ca.crt"), "");
  const { hostname, port } = new URL(cluster.access.url);
  const pod = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
  const connection = await withEnvironment(
    pod,
    () => findConnection({ serviceAccountDir: directory }),
  );
  const client = new KubeClient(connection, "test/1");
  await assert.rejects(client.request("GET", "/version"), {
    status: 0,
    reason: "Unreachable",
    message: /^GET \/version: .*certificate/,
  });
  client.close();
});
