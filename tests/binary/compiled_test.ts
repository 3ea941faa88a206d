/** The executables, from an empty directory with an empty environment. */
import assert from "node:assert/strict";
import { compileArguments } from "../../build/compile.ts";
import { commit as placeholder, version } from "../../version.ts";
import { operatorAccountDir } from "../cluster/operator_account.ts";
import { throughGateway } from "../cluster/operator_manifests.ts";
import { Scenario } from "../cluster/operator_scenario.ts";
import { missingAssets, runOnSharedServer } from "../cluster/test_cluster.ts";
import { testUnless } from "../cluster/test_requirement.ts";
import { endToEnd, run } from "../end_to_end.ts";
import { startGateway } from "../rig/gateway_process.ts";
import { allowLoopback } from "../rig/rig.ts";
import { renderSamples } from "../rig/sample_manifests.ts";
import { startSpanSink } from "../support/span_sink.ts";
import { findBaseRuntime } from "./base_runtime.ts";
import { alone, compiled, type Flavor } from "./compiled_program.ts";

const missing = await findBaseRuntime() === undefined
  ? "no base runtime for `deno compile`: `deno task cluster:assets` gets it"
  : undefined;

const flavors: readonly Flavor[] = [
  "x402-k8s-operator",
  "x402-k8s-operator-cli",
  "x402-k8s-operator-tracing",
];

/** Bytes. */
const maxSize = 130_000_000;

/** @param test gets an empty folder, and has to leave it empty */
function binaryTest(
  name: string,
  test: (folder: string, t: Deno.TestContext) => Promise<void>,
): void {
  testUnless(missing, name, async (t) => {
    const folder = await Deno.makeTempDir({ prefix: "x402-empty-" });
    try {
      await test(folder, t);
      assert.deepEqual([...Deno.readDirSync(folder)], [], "nothing is left behind");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

binaryTest("an executable says what it is, and is not larger than it may be", async (folder) => {
  for (const flavor of flavors) {
    const program = await compiled(flavor);
    const { code, output } = await run([...alone(program, folder), "--version"], {});
    assert.equal(code, 0, output);
    const text = new RegExp(
      `^x402-k8s-operator ${version} \\(commit [0-9a-f]{12}(-dirty)?, Deno 2\\.\\d+\\.\\d+\\)$`,
    );
    assert.match(output.trim(), text);
    assert.ok(!output.includes(placeholder));
    assert.ok((await Deno.stat(program)).size < maxSize);
  }
});

Deno.test("executables are compiled with the permissions of their set, files, and no others", () => {
  const all = flavors.map((flavor) =>
    compileArguments(flavor, "main.js", flavor).filter((it) => /^-P|^--allow|^-A|^--no-p/.test(it))
  );
  const files = ["--no-prompt", "--allow-read", "--allow-write"];
  const sets = ["-P=server", "-P=cli", "-P=server"];
  assert.deepEqual(all, sets.map((set) => [set, ...files]));
});

binaryTest("end to end, as an executable", async (folder, t) => {
  await endToEnd(t, alone(await compiled("x402-k8s-operator"), folder));
});

binaryTest(
  "an executable has workers; that with tracing sends spans, the others none",
  async (folder) => {
    const manifests = await Deno.makeTempDir({ prefix: "x402-manifests-" });
    try {
      await renderSamples(manifests, { api: 1, facilitator: 1 });
      for (const flavor of ["x402-k8s-operator-tracing", "x402-k8s-operator"] as const) {
        await using sink = startSpanSink();
        const command = alone(await compiled(flavor), folder, sink.env);
        const flags = [...allowLoopback, "--workers", "2"];
        await using gateway = await startGateway({ manifests, command, flags });
        await gateway.logged("worker serves");
        const reply = await fetch(`${gateway.url}/api/weather`);
        await reply.body?.cancel();
        assert.equal(reply.status, 402);
        const isTraced = flavor === "x402-k8s-operator-tracing";
        if (isTraced) await sink.sent(({ name }) => name === "GET /api/*");
        assert.equal(await gateway.stop(), 0);
        if (!isTraced) assert.deepEqual(sink.spans, []);
      }
    } finally {
      await Deno.remove(manifests, { recursive: true });
    }
  },
);

binaryTest("only the executable for people starts programs", async (folder) => {
  const programs = await Deno.makeTempDir({ prefix: "x402-programs-" });
  try {
    await renderSamples(programs, { api: 1, facilitator: 1 });
    const kustomize = `#!/bin/sh\nfor f in ${programs}/*.yaml; do echo ---; /bin/cat $f; done\n`;
    await Deno.writeTextFile(`${programs}/kustomize`, kustomize, { mode: 0o755 });
    const plan = ["plan", "-k", programs, "--allow-external-name", ...allowLoopback];
    const outcomes = [];
    for (const flavor of ["x402-k8s-operator-cli", "x402-k8s-operator"] as const) {
      const command = alone(await compiled(flavor), folder, { PATH: programs });
      outcomes.push(await run([...command, ...plan], {}));
    }
    const [people, servers] = outcomes;
    assert.equal(people!.code, 0, people!.output);
    assert.match(people!.output, /weather/);
    assert.notEqual(servers!.code, 0);
    assert.match(servers!.output, /x402-k8s-operator-cli/, "it says which one to take");
  } finally {
    await Deno.remove(programs, { recursive: true });
  }
});

testUnless(
  missing ?? missingAssets,
  "an executable is an operator, and puts back what was changed",
  () =>
    runOnSharedServer(async (cluster) => {
      const folder = await Deno.makeTempDir({ prefix: "x402-empty-" });
      try {
        const { hostname, port } = new URL(cluster.access.url);
        const env = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
        const command = alone(await compiled("x402-k8s-operator"), folder, env);
        await using scenario = await Scenario.start(cluster, { command });
        await scenario.applyIngress("web", { "/": "api" });
        await scenario.applyRoute("prices", { rules: [{ path: "/paid" }] });
        await scenario.untilReady("prices");
        assert.equal(await scenario.look("/paid"), "402 402");
        assert.deepEqual(await scenario.backends("web"), { "/": throughGateway });
        assert.equal(await scenario.operator.stop(), 0);

        const account = await operatorAccountDir(cluster, scenario.operatorNamespace);
        const restore = ["restore", "--all", "--service-account-dir", account];
        const { code, output } = await run([...command, ...restore], {});
        assert.equal(code, 0, output);
        assert.notDeepEqual(await scenario.backends("web"), { "/": throughGateway });
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    }),
);
