/** The manifests of the original program's README do what they did there. */
import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { throughGateway } from "./operator_manifests.ts";
import { Scenario } from "./operator_scenario.ts";
import { clusterTest } from "./test_cluster.ts";

const cases = new URL("../plan_cases/", import.meta.url);

interface Sample {
  /** Of the plan case that has the manifest. */
  readonly folder: string;
  readonly ingress: string;
  readonly route: string;
  readonly activeRoutes: number;
  /** Answers to GET and POST by path. */
  readonly looks: Readonly<Record<string, string>>;
}

const samples: readonly Sample[] = [
  {
    folder: "original_quick_start",
    ingress: "my-api-ingress",
    route: "my-api-payments",
    activeRoutes: 3,
    looks: {
      "/api/users": "402 402",
      "/api/users/1": "api api",
      "/health": "api api",
      "/docs/a/b": "api api",
    },
  },
  {
    folder: "original_conditional",
    ingress: "my-ingress",
    route: "my-api",
    activeRoutes: 4,
    looks: { "/api/v1/users": "402 402", "/api/v2/users": "api api", "/docs": "api api" },
  },
];

for (const { folder, ingress, route, activeRoutes, looks } of samples) {
  clusterTest(`the original's README: ${route} charges for what it did there`, async (cluster) => {
    await using scenario = await Scenario.start(cluster);
    await scenario.applyIngress(ingress, { "/": "api" });
    const text = await Deno.readTextFile(new URL(`${folder}/input.yaml`, cases));
    const manifest = parseAllDocuments(text).map(String).find((it) => it.includes("X402Route"));
    await scenario.admin.applyYaml(manifest!, scenario.namespace);

    const { status } = await scenario.untilReady(route);
    assert.deepEqual(await scenario.backends(ingress), { "/": throughGateway });
    assert.equal(status?.ready, true);
    assert.equal(status?.ingressPatched, true);
    assert.equal(status?.activeRoutes, activeRoutes);
    const conditions = status?.conditions?.map(({ type, status }) => `${type}=${status}`);
    assert.deepEqual(conditions, [
      "Accepted=True",
      "ResolvedRefs=True",
      "IngressPatched=True",
      "Ready=True",
    ]);
    for (const [path, expected] of Object.entries(looks)) {
      assert.equal(await scenario.look(path), expected, path);
    }
  });
}
