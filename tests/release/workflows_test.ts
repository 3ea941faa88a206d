/** The workflows: what they call is there. They run on GitHub only. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { flavors, targets } from "../../build/compile.ts";
import { root } from "../../build/bundle.ts";
import { run } from "../../build/run.ts";
import { testUnless } from "../cluster/test_requirement.ts";
import { findActionlint } from "./actionlint_assets.ts";

const folder = join(root, ".github/workflows");
const actionlint = await findActionlint();
const missing = actionlint === undefined
  ? "actionlint is not there: `deno task cluster:assets` gets it"
  : undefined;

testUnless(missing, "workflows are well-formed, in their expressions as well", async () => {
  const files = [...Deno.readDirSync(folder)].map(({ name }) => join(folder, name));
  assert.ok(files.length >= 2);
  await run(actionlint!, ["-no-color", "-shellcheck=", "-pyflakes=", ...files]);
});

Deno.test("the release names targets, executables, tasks and files that are there", async () => {
  const text = await Deno.readTextFile(join(folder, "release.yaml"));
  const named = [...text.matchAll(/--target (\S+)/g)].map(([, target]) => target!);
  assert.deepEqual(named, Object.keys(targets));
  for (const [, executable] of text.matchAll(/executable: ([\w-]+)/g)) {
    assert.ok(executable! in flavors, executable!);
  }
  const { tasks } = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  for (const [, task] of text.matchAll(/deno task (\S+)/g)) assert.ok(task! in tasks, task!);
  const paths = text.matchAll(/\b((?:build|deploy|tests)\/[\w./-]+|Dockerfile\.\w+)/g);
  for (const [, path] of paths) await Deno.stat(join(root, path!));
});

Deno.test("the release takes the runtime and the Helm that the tests take", async () => {
  const text = await Deno.readTextFile(join(folder, "release.yaml"));
  const ci = await Deno.readTextFile(join(root, ".ci/run"));
  const [, deno] = /DENO_VERSION: (\S+)/.exec(text)!;
  assert.match(ci, new RegExp(`deno_version=${deno!.replaceAll(".", "\\.")}\\n`));
  assert.match(text, new RegExp(`DENO_IMAGE: \\S+:${deno!.replaceAll(".", "\\.")}\\n`));
  const [, helm] = /HELM_VERSION: (\S+)/.exec(text)!;
  const pins = await Deno.readTextFile(join(root, "tests/cluster/assets_helm/go.mod"));
  assert.match(pins, new RegExp(`helm\\.sh/helm/v3 ${helm!.replaceAll(".", "\\.")}\\b`));
});
