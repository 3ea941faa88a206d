/** What is told before there is anything to work with: one sentence, exit code 2. */
import assert from "node:assert/strict";
import { runCommand } from "../tests/support/run_command.ts";

const noCluster = ["--kubeconfig", "/nonexist/config"];

for (
  const [args, says] of [
    [["plan", ...noCluster], /^error: Cannot use the kubeconfig \/nonexist\/config: .*\n$/],
    [["restore", "--all", ...noCluster], /^error: Cannot use the kubeconfig .*\n$/],
    [["run", ...noCluster], /^error: Cannot use the kubeconfig .*\n$/],
    [["plan", "-f", "/nonexist"], /^error: \/nonexist does not exist\n$/],
    [["plan", "--cluster", "-f", "/nonexist"], /^error: \/nonexist does not exist\n$/],
    [["validate", "-f", "/nonexist"], /^error: \/nonexist does not exist\n$/],
  ] as const
) {
  Deno.test(`wrong usage: ${args.join(" ")}`, async () => {
    const { code, stdout, stderr } = await runCommand(args);
    assert.deepEqual([code, stdout], [2, ""], stderr);
    assert.match(stderr, says);
  });
}
