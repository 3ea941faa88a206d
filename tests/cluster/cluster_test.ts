/** `deno task cluster` and the command that it prints, as somebody new would use them. */
import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";
import { ChildProcess } from "../rig/child_process.ts";
import { missingAssets } from "./test_cluster.ts";
import { testUnless } from "./test_requirement.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

testUnless(missingAssets, "deno task cluster: the run command that it prints works", async () => {
  const script = `${root}tests/cluster/cluster.ts`;
  await using cluster = new ChildProcess("cluster", [Deno.execPath(), "run", "-A", script]);
  const printed = await cluster.find((line) => /^ +deno (run .* run .*)$/.exec(line)?.[1], 60_000);
  const ports = ["--listen", "--metrics-listen", "--probe-listen"].flatMap((it) => [
    it,
    "127.0.0.1:0",
  ]);
  const command = [Deno.execPath(), ...printed.split(" "), ...ports];
  await using operator = new ChildProcess("operator", [...command, "--shutdown-delay", "0s"], {
    cwd: root,
  });
  const ready = await operator.find((line) =>
    line.includes('"condition":"IngressPatched"') ? JSON.parse(line) : undefined
  );
  assert.deepEqual([ready.status, ready.reason], ["True", "Patched"]);
});
