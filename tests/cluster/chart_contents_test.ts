/** What Helm makes of the files in the chart. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "yaml";
import { chartValues } from "../../generate/chart_values.ts";
import { installManifest } from "../../generate/install_manifest.ts";
import { staleFiles } from "../../generate/generated_files.ts";
import { version } from "../../version.ts";
import { findHelmUnittest } from "./helm_assets.ts";
import { chart, helm, helmTest, manifestsOf, only, releaseName, render } from "./helm_chart.ts";

const namespace = "x402-system";

helmTest("deploy/install.yaml is what the chart makes (else run: deno task generate)", async () => {
  const manifest = (await installManifest())!;
  assert.deepEqual(staleFiles([manifest], new URL("../../", import.meta.url)), []);
  const objects = manifestsOf(manifest.content);
  assert.deepEqual(objects.slice(0, 1).map(({ kind, metadata }) => [kind, metadata.name]), [
    ["Namespace", namespace],
  ]);
  // Hooks mean nothing to kubectl: it would put everything back at once.
  assert.equal(objects.some(({ kind }) => kind === "Job"), false);
  assert.doesNotMatch(manifest.content, /managed-by|helm\.sh\/chart/);
});

helmTest("the helm unit tests pass", async () => {
  const { success, stdout } = await new Deno.Command((await findHelmUnittest())!, {
    args: ["--strict", chart],
    stdin: "null",
  }).output();
  assert.ok(success, new TextDecoder().decode(stdout));
});

Deno.test("the chart has the version of the program", () => {
  const { version: chartVersion, appVersion } = parse(Deno.readTextFileSync(`${chart}Chart.yaml`));
  assert.deepEqual([chartVersion, appVersion], [version, version]);
});

Deno.test("every value of the chart has a description", () => {
  const values = chartValues(Deno.readTextFileSync(`${chart}values.yaml`));
  const isGroup = (path: string) => values.some((it) => it.path.startsWith(`${path}.`));
  const untold = values.filter((it) => it.description === undefined && !isGroup(it.path));
  assert.deepEqual(untold, []);
});

helmTest("the chart's CRD is crd/x402route.yaml", async () => {
  const file = new URL("../../crd/x402route.yaml", import.meta.url);
  const { metadata, ...original } = parse(await Deno.readTextFile(file));
  const { metadata: rendered, ...crd } = only(await render(namespace), "CustomResourceDefinition");
  assert.deepEqual(crd, original);
  assert.equal(rendered.name, metadata.name);
  assert.deepEqual(rendered.annotations, { "helm.sh/resource-policy": "keep" });
});

helmTest("alerts and dashboards are passed on as they are, however many there are", async () => {
  const folder = await Deno.makeTempDir({ prefix: "x402-chart-" });
  const enabled = ["metrics.prometheusRule.enabled=true", "metrics.dashboards.enabled=true"];
  const made = async () => {
    const sets = enabled.flatMap((value) => ["--set", value]);
    const { code, stdout, stderr } = await helm("template", releaseName, folder, ...sets);
    assert.equal(code, 0, stderr);
    const objects = manifestsOf(stdout);
    return {
      groups: objects.find(({ kind }) => kind === "PrometheusRule")?.spec.groups,
      data: objects.find(({ kind }) => kind === "ConfigMap")?.data,
    };
  };
  try {
    for (const name of ["Chart.yaml", "values.yaml", "values.schema.json"]) {
      await Deno.copyFile(`${chart}${name}`, join(folder, name));
    }
    for (const name of ["templates", "alerts", "dashboards"]) await Deno.mkdir(join(folder, name));
    for await (const { name } of Deno.readDir(`${chart}templates`)) {
      await Deno.copyFile(`${chart}templates/${name}`, join(folder, "templates", name));
    }
    assert.deepEqual(await made(), { groups: undefined, data: undefined });

    const group = (name: string) => ({
      name,
      rules: [{
        alert: "Doubtful",
        expr: 'sum by (namespace) (x402_payments_in_doubt{a=~"b|c"}) > 0',
        for: "10m",
        annotations: { summary: "{{ $value }} payments of {{ $labels.namespace }} in doubt" },
      }],
    });
    const board = JSON.stringify(
      { title: "x402", expr: "{{route_name}} `$__rate_interval`" },
      null,
      2,
    );
    for (const name of ["one", "two"]) {
      const rules = JSON.stringify({ groups: [group(name)] });
      await Deno.writeTextFile(join(folder, `alerts/${name}.yaml`), rules);
      await Deno.writeTextFile(join(folder, `dashboards/${name}.json`), `${board}\n`);
    }
    const { groups, data } = await made();
    assert.deepEqual(groups, [group("one"), group("two")]);
    assert.deepEqual(Object.keys(data), ["one.json", "two.json"]);
    assert.deepEqual(JSON.parse(data["one.json"]), JSON.parse(board));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
