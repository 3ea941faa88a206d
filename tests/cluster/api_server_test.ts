import assert from "node:assert/strict";
import type { KubeAdmin } from "./kube_admin.ts";
import { ApiError, KubeHttp } from "./kube_http.ts";
import { collectionPath } from "./kube_kinds.ts";
import { serverTest } from "./test_cluster.ts";

function createConfigMap(admin: KubeAdmin, namespace: string, name: string) {
  return admin.create({ apiVersion: "v1", kind: "ConfigMap", metadata: { namespace, name } });
}

/** The first event of a watch. */
async function nextEvent(admin: KubeAdmin, namespace: string, resourceVersion: string) {
  for await (const event of admin.watch("ConfigMap", { namespace }, resourceVersion)) return event;
  return undefined;
}

function hasStatus(status: number): (error: unknown) => boolean {
  return (error) => error instanceof ApiError && error.status === status;
}

serverTest("a suspended server answers nothing until it is resumed", async (cluster, server) => {
  const namespace = await cluster.createNamespace();
  await server.suspend();
  let answered = false;
  const answer = createConfigMap(cluster.admin, namespace, "late").then(() => answered = true);
  // Long enough for a hundred answers; there is no event for "nothing happens".
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(answered, false);
  server.resume();
  await answer;
});

serverTest(
  "after a restart all is there; old watches, and with a compaction lists, are 410",
  async (cluster, server) => {
    const { admin, access } = cluster;
    using http = new KubeHttp(access);
    const namespace = await cluster.createNamespace();
    const { metadata } = await createConfigMap(admin, namespace, "a");
    await createConfigMap(admin, namespace, "b");
    const path = collectionPath("ConfigMap", namespace);
    const firstPage = await http.request<{ metadata: { continue: string } }>("GET", path, {
      query: { limit: "1" },
    });
    const next = { query: { limit: "1", continue: firstPage.metadata.continue } };
    await admin.patch("ConfigMap", metadata, { data: { changed: "1" } });
    const event = await nextEvent(admin, namespace, metadata.resourceVersion);
    assert.equal(event?.object.metadata.name, "b");

    await server.stopApiServer();
    await assert.rejects(admin.get("ConfigMap", metadata), TypeError);
    await server.compactEtcd();
    await server.startApiServer();
    assert.equal((await admin.get("ConfigMap", metadata)).data?.changed, "1");
    await assert.rejects(nextEvent(admin, namespace, metadata.resourceVersion), hasStatus(410));
    await assert.rejects(http.request("GET", path, next), hasStatus(410));
  },
);
