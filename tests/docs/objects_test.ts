/** The Kubernetes objects of the documentation, as a real API server sees them. */
import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { throughGateway } from "../cluster/operator_manifests.ts";
import { Scenario } from "../cluster/operator_scenario.ts";
import { clusterTest } from "../cluster/test_cluster.ts";
import { KubeHttp } from "../cluster/kube_http.ts";
import { collectionPath, type Kind } from "../cluster/kube_kinds.ts";
import { blocks, filledIn, foreignKinds, placeOf } from "./documents.ts";

clusterTest("docs: the API server takes every object of the examples as it is", async (cluster) => {
  const namespace = await cluster.createNamespace();
  using http = new KubeHttp(cluster.access);
  const query = { dryRun: "All", fieldValidation: "Strict" };
  const refused: string[] = [];
  let taken = 0;
  for (const block of blocks("yaml")) {
    for (const document of parseAllDocuments(filledIn(block))) {
      const object = document.toJS();
      if (object?.kind === undefined || foreignKinds.has(object.kind)) continue;
      const body = { ...object, metadata: { ...object.metadata, namespace } };
      const path = collectionPath(object.kind as Kind, namespace);
      await http.request("POST", path, { body, query }).then(() => taken++, (error: Error) => {
        refused.push(`${placeOf(block)}, ${object.kind}: ${error.message}`);
      });
    }
  }
  assert.deepEqual(refused, []);
  assert.ok(taken >= 8, `${taken}`);
});

clusterTest(
  "docs: the quick start becomes ready, and leads what it prices to the gateway",
  async (cluster) => {
    await using scenario = await Scenario.start(cluster);
    for (const block of blocks("yaml").filter(({ file }) => file === "docs/quickstart.md")) {
      // The second half of the page is for standalone mode.
      if (block.text.includes("ExternalName")) continue;
      await scenario.admin.applyYaml(filledIn(block), scenario.namespace);
    }
    await scenario.untilReady("hello-prices");
    const { "/api": api, "/health": health } = await scenario.backends("hello");
    assert.deepEqual([api, health], [throughGateway, "hello:80"]);
  },
);
