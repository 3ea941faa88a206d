/** What the documentation says about Helm, to the real Helm and the chart. */
import assert from "node:assert/strict";
import { parseAllDocuments, stringify } from "yaml";
import { helm, helmTest, render } from "../cluster/helm_chart.ts";
import { blocks, placeOf } from "./documents.ts";
import { shellCommands } from "./shell.ts";

/** Files of values, and values of tools that apply the chart. */
function valuesOf(text: string): unknown[] {
  if (text.startsWith("# values.yaml")) return [parseAllDocuments(text)[0]!.toJS()];
  return parseAllDocuments(text).map((document) => document.toJS()).flatMap(({ kind, spec }) => {
    if (kind === "HelmRelease") return [spec.values];
    return kind === "Application" && spec.source.helm ? [spec.source.helm.valuesObject] : [];
  });
}

helmTest("docs: the chart takes the values of the examples", async () => {
  let rendered = 0;
  for (const block of blocks("yaml")) {
    for (const values of valuesOf(block.text)) {
      const file = await Deno.makeTempFile({ prefix: "x402-values-", suffix: ".yaml" });
      try {
        await Deno.writeTextFile(file, stringify(values));
        const objects = await render("x402-system", "--values", file);
        const workloads = objects.filter(({ kind }) => /^(Deployment|StatefulSet)$/.test(kind));
        assert.equal(workloads.length, 1, placeOf(block));
        rendered++;
      } finally {
        await Deno.remove(file);
      }
    }
  }
  assert.ok(rendered >= 3, `${rendered}`);
});

helmTest("docs: Helm knows the flags that it is given", async () => {
  const helps = new Map<string, string>();
  const unknown: string[] = [];
  for (const block of blocks("sh")) {
    for (const { words: [program, verb = "", ...args] } of shellCommands(block.text)) {
      if (program !== "helm") continue;
      if (!helps.has(verb)) helps.set(verb, (await helm(verb, "--help")).stdout);
      const flags = args.filter((arg) => arg.startsWith("-")).map((arg) => arg.replace(/=.*/, ""));
      const strange = flags.filter((flag) => !helps.get(verb)!.includes(` ${flag} `));
      unknown.push(...strange.map((flag) => `${placeOf(block)}: helm ${verb} ${flag}`));
    }
  }
  assert.deepEqual(unknown, []);
  assert.ok(helps.size >= 3);
});
