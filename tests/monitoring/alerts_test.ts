/** The alerts of the chart: each fires when it should, says what it is about, and is documented. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { type AlertCase, alertCases } from "./alert_cases.ts";
import { alertRules, alertsFile } from "./chart_expressions.ts";
import { promtoolTest, run, usesOf } from "./promql.ts";

const alertsDoc = new URL("../../docs/alerts.md", import.meta.url);

promtoolTest("the rule file is valid", async ({ promtool }) => {
  const { code, stderr } = await run(promtool, ["check", "rules", fileURLToPath(alertsFile)]);
  assert.equal(code, 0, stderr);
});

promtoolTest(
  "each alert fires at bad series, alone, and not at good ones",
  async ({ promtool }) => {
    const tests = Object.entries(alertCases).flatMap(([alert, { fires, quiet }]) => [
      ...fires.map((it) => ruleTest(it, `{alertname="${alert}"}`)),
      ...quiet.map((it) => ruleTest(it)),
    ]);
    const file = await Deno.makeTempFile({ suffix: ".json" });
    const content = { rule_files: [fileURLToPath(alertsFile)], evaluation_interval: "1m", tests };
    await Deno.writeTextFile(file, JSON.stringify(content));
    const { code, stdout, stderr } = await run(promtool, ["test", "rules", file]);
    await Deno.remove(file);
    assert.equal(code, 0, stdout + stderr);
  },
);

/** The gateway is there, unless the case is about that. */
function ruleTest({ series, at }: AlertCase, firing?: string) {
  const all = { "x402_build_info": "1x60", ...series };
  const exp_samples = firing === undefined ? [] : [{ labels: firing, value: 1 }];
  return {
    name: JSON.stringify(series),
    interval: "1m",
    input_series: Object.entries(all).map(([series, values]) => ({ series, values })),
    promql_expr_test: [{
      expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
      eval_time: at,
      exp_samples,
    }],
  };
}

Deno.test("every alert has cases in which it fires and in which it does not", async () => {
  const names = (await alertRules()).map(({ alert }) => alert);
  assert.deepEqual(Object.keys(alertCases).sort(), names.sort());
  for (const { fires, quiet } of Object.values(alertCases)) {
    assert.ok(fires.length > 0 && quiet.length > 0);
  }
});

Deno.test("every alert has a severity, words, and a section of docs/alerts.md", async () => {
  const headings = [...(await Deno.readTextFile(alertsDoc)).matchAll(/^## (\w+)$/gm)];
  const rules = await alertRules();
  for (const { alert, labels, annotations } of rules) {
    assert.match(labels.severity ?? "", /^(critical|warning)$/, alert);
    assert.ok(annotations.summary && annotations.description, alert);
    assert.equal(
      annotations.runbook_url,
      "https://github.com/x402-k8s-operator/x402-k8s-operator/blob/main/docs/alerts.md#" +
        alert.toLowerCase(),
    );
  }
  const documented = headings.map(([, name]) => name!);
  assert.deepEqual(documented.sort(), rules.map(({ alert }) => alert).sort());
});

Deno.test("log lines that docs/alerts.md names are written by the program", async () => {
  const text = await Deno.readTextFile(alertsDoc);
  const lines = [...text.matchAll(/`([a-z][^`]* [^`]*)` in the\s+logs?\b/g)].map(([, line]) =>
    line!
  );
  assert.ok(lines.length >= 8, lines.join("; "));
  const source = await sourceOf(
    "commands/",
    "gateway/payment/",
    "gateway/facilitator/",
    "gateway/limits/",
  );
  assert.deepEqual(lines.filter((line) => !source.includes(line)), []);
});

async function sourceOf(...folders: string[]): Promise<string> {
  const texts: string[] = [];
  for (const folder of folders) {
    const url = new URL(`../../${folder}`, import.meta.url);
    for await (const { name, isFile } of Deno.readDir(url)) {
      if (isFile) texts.push(await Deno.readTextFile(new URL(name, url)));
    }
  }
  return texts.join("\n");
}

promtoolTest("alerts name no label in their words that their series do not have", async () => {
  const rules = await alertRules();
  const uses = await usesOf(rules.map(({ expr }) => expr));
  rules.forEach(({ alert, annotations }, i) => {
    const labels = new Set(uses[i]!.groupings.flatMap((grouping) => grouping.labels));
    const words = Object.values(annotations).join(" ");
    for (const [, label] of words.matchAll(/\$labels\.(\w+)/g)) {
      assert.ok(labels.has(label!), `${alert}: ${label}`);
    }
  });
});
