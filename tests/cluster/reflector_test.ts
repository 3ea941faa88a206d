/** The reflector against a real API server: it ends up with the truth, whatever happens. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { TestReflector } from "../../controller/cluster/test_reflector.ts";
import { AdminClient } from "./admin_client.ts";
import type { KubeAdmin } from "./kube_admin.ts";
import { clusterTest, serverTest } from "./test_cluster.ts";

clusterTest("a reflector follows whatever is done", async (cluster) => {
  const { admin } = cluster;
  const namespace = await cluster.createNamespace();
  using client = new AdminClient(cluster.access);
  await using test = new TestReflector(client, configMaps(namespace));
  const edit = fc.record({
    name: fc.constantFrom("a", "b", "c", "d"),
    deleted: fc.boolean(),
    text: fc.string({ unit: "grapheme", maxLength: 30 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 15 }), async (edits) => {
      for (const { name, deleted, text } of edits) {
        if (!deleted) await put(admin, namespace, name, text);
        else await admin.delete("ConfigMap", { namespace, name }).catch(() => {});
      }
      await untilEqual(test, admin, namespace);
    }),
    { numRuns: 20 },
  );
  assert.equal(test.reflector.restarts, 0);
});

clusterTest("more objects than fit a page are one change", async (cluster) => {
  const namespace = await cluster.createNamespace();
  for (let batch = 0; batch < 52; batch++) {
    const names = Array.from({ length: 10 }, (_, n) => `n${batch}-${n}`);
    await Promise.all(names.map((name) => put(cluster.admin, namespace, name, "text")));
  }
  using client = new AdminClient(cluster.access);
  await using test = new TestReflector(client, configMaps(namespace));
  await test.reflector.whenSynced;
  assert.equal(test.reflector.objects.size, 520);
  assert.equal(test.changes, 1);
});

clusterTest("an object of a megabyte comes whole", async (cluster) => {
  const namespace = await cluster.createNamespace();
  using client = new AdminClient(cluster.access);
  await using test = new TestReflector(client, configMaps(namespace));
  await test.reflector.whenSynced;
  const text = "äöü€".repeat(90_000);
  await put(cluster.admin, namespace, "large", text);
  await test.until(() => test.reflector.objects.size === 1);
  assert.deepEqual(test.reflector.objects.get(`${namespace}/large`)!.data, { text });
});

serverTest(
  "an API server that was away and came back: no change is missed",
  async (cluster, server) => {
    const namespace = await cluster.createNamespace();
    using client = new AdminClient(cluster.access);
    await using test = new TestReflector(client, configMaps(namespace));
    await put(cluster.admin, namespace, "stays", "1");
    await put(cluster.admin, namespace, "goes", "1");
    await untilEqual(test, cluster.admin, namespace);
    await server.stopApiServer();
    await test.until(() => !test.reflector.connected);
    assert.ok(test.reflector.objects.has(`${namespace}/goes`), "what is known stays");
    await server.startApiServer();
    await cluster.admin.delete("ConfigMap", { namespace, name: "goes" });
    await untilEqual(test, cluster.admin, namespace);
  },
);

serverTest("a history that was compacted meanwhile leads to a list", async (cluster, server) => {
  const namespace = await cluster.createNamespace();
  using client = new AdminClient(cluster.access);
  await using test = new TestReflector(client, configMaps(namespace));
  await put(cluster.admin, namespace, "stays", "1");
  await put(cluster.admin, namespace, "goes", "1");
  await untilEqual(test, cluster.admin, namespace);
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  client.gate = gate;
  await restart();
  await cluster.admin.delete("ConfigMap", { namespace, name: "goes" });
  await put(cluster.admin, namespace, "stays", "2");
  await server.compactEtcd();
  await restart();
  open();
  await untilEqual(test, cluster.admin, namespace);
  assert.match(
    JSON.stringify(test.reported),
    /410 too old resource version|410 The resourceVersion/,
  );

  async function restart() {
    await server.stopApiServer();
    await server.startApiServer();
  }
});

serverTest("an API server that has stopped in its tracks is noticed", async (cluster, server) => {
  const namespace = await cluster.createNamespace();
  using client = new AdminClient(cluster.access);
  await using test = new TestReflector(client, configMaps(namespace), { silenceMs: 500 });
  await put(cluster.admin, namespace, "a", "1");
  await untilEqual(test, cluster.admin, namespace);
  await server.suspend();
  await test.until(() => !test.reflector.connected);
  server.resume();
  await put(cluster.admin, namespace, "a", "2");
  await untilEqual(test, cluster.admin, namespace);
});

function configMaps(namespace: string) {
  return { path: `/api/v1/namespaces/${namespace}/configmaps` };
}

async function put(admin: KubeAdmin, namespace: string, name: string, text: string) {
  const metadata = { namespace, name };
  await admin.apply({ apiVersion: "v1", kind: "ConfigMap", metadata, data: { text } });
}

/** Resolves when what is reflected is what the API server has. */
async function untilEqual(test: TestReflector, admin: KubeAdmin, namespace: string) {
  const objects = await admin.list("ConfigMap", { namespace });
  const truth = objects.map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`)
    .sort().join(" ");
  await test.until(() => test.known === truth);
}
