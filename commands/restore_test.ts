import assert from "node:assert/strict";
import { runCommand } from "../tests/support/run_command.ts";

for (const args of [[], ["--all", "--namespace", "shop"]]) {
  Deno.test(`restore ${args.join(" ")}: it has to be said where`, async () => {
    const { code, stdout, stderr } = await runCommand(["restore", ...args]);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.equal(stderr, "error: give either --all or --namespace <name>\n");
  });
}

Deno.test("restore: a cluster that does not answer is told in one line", async () => {
  const folder = await Deno.makeTempDir({ prefix: "restore-" });
  try {
    const kubeconfig = `${folder}/kubeconfig`;
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const server = `https://127.0.0.1:${listener.addr.port}`;
    listener.close();
    const config = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "a", cluster: { server } }],
      users: [{ name: "a", user: { token: "t" } }],
      contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
      "current-context": "a",
    };
    await Deno.writeTextFile(kubeconfig, JSON.stringify(config));
    const { code, stderr } = await runCommand(["restore", "--all", "--kubeconfig", kubeconfig]);
    assert.equal(code, 1);
    assert.match(stderr, /^error: GET \/apis\/coordination.*refused.*\n$/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
