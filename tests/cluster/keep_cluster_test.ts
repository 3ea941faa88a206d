import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { firstLineOf } from "./lines_of.ts";
import { missingAssets } from "./test_cluster.ts";
import { testUnless } from "./test_requirement.ts";

const keeper = fileURLToPath(new URL("keep_cluster.ts", import.meta.url));

testUnless(missingAssets, "the shared server ends when the test run is killed", async () => {
  const run = new Deno.Command("sleep", { args: ["60"] }).spawn();
  const args = ["run", "-A", keeper, String(run.pid)];
  const keeping = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
  const { kubeconfig } = JSON.parse((await firstLineOf(keeping.stdout))!);
  assert.ok((await Deno.stat(kubeconfig)).isFile);
  run.kill("SIGKILL");
  await run.status;
  assert.equal((await keeping.status).code, 0);
  await assert.rejects(Deno.stat(kubeconfig), Deno.errors.NotFound);
});
