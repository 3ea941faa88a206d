/**
 * The whole product with real money on a local chain, from source and as the bundle that images and
 * executables carry; `tests/binary` has the executables.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { bundleFolder, root } from "../build/bundle.ts";
import { clusterTest } from "./cluster/test_cluster.ts";
import { endToEnd, run } from "./end_to_end.ts";
import { sourceCommand } from "./rig/gateway_process.ts";

Deno.test("end to end, from source", (t) => endToEnd(t, sourceCommand));

/** What an executable is allowed; anything else that it tried would fail these tests. */
const permissions = ["--allow-net", "--allow-read", "--allow-env", "--no-prompt"];

/** @param test gets the command, and its variables */
async function withBundle(
  test: (command: readonly string[], env: Record<string, string>) => Promise<void>,
): Promise<void> {
  const built = await run([Deno.execPath(), "task", "--cwd", root, "bundle"], {});
  assert.equal(built.code, 0, built.output);
  const cache = await Deno.makeTempDir({ prefix: "x402-empty-cache-" });
  try {
    const flags = ["--cached-only", "--no-config", "--unstable-net", ...permissions];
    const command = [Deno.execPath(), "run", ...flags, join(bundleFolder, "main.js")];
    await test(command, { DENO_DIR: cache });
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
}

Deno.test("end to end, as the minified bundle with an empty cache", (t) =>
  withBundle((command, env) => endToEnd(t, command, env)));

clusterTest(
  "the bundle reads a kubeconfig with an empty cache",
  ({ access }) =>
    withBundle(async (command, env) => {
      const restore = ["restore", "--all", "--dry-run", "--kubeconfig", access.kubeconfig];
      const { code, output } = await run([...command, ...restore], env);
      assert.equal(code, 0, output);
    }),
);
