/** Commands that fail say why, and show nothing of the secrets that they were given. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { freePorts } from "./cluster/free_port.ts";
import { ChildProcess } from "./rig/child_process.ts";
import { sourceCommand } from "./rig/gateway_process.ts";
import { samplesFolder } from "./rig/sample_manifests.ts";
import { runCommand } from "./support/run_command.ts";

const secret = "s3cr3t0123456789";
const gateway = [
  ...["gateway", "--manifests", samplesFolder, "--log-level", "debug", "--listen", "127.0.0.1:0"],
  ...["--metrics-listen", "127.0.0.1:0", "--probe-listen", "127.0.0.1:0"],
];
const nowhere = `127.0.0.1:${freePorts(1)[0]}`;
const kubeconfig = {
  ...{ apiVersion: "v1", kind: "Config", "current-context": "test" },
  contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
  clusters: [{ name: "test", cluster: { server: `https://${nowhere}` } }],
  users: [{ name: "test", user: { token: secret } }],
};

interface Failing {
  readonly args: (folder: string) => readonly string[];
  readonly env?: Record<string, string>;
}

const failing: Record<string, Failing> = {
  "a URL of a database that is none": {
    args: () => [...gateway, "--ledger", `postgres://shop:${secret}@host:port/payments`],
  },
  "an unknown sslmode": {
    args: () => [...gateway, "--ledger", `postgres://shop:${secret}@${nowhere}/a?sslmode=allow`],
  },
  "payments of a database that is not there": {
    args: () => ["payments", "list", "--ledger", `postgres://shop:${secret}@${nowhere}/payments`],
  },
  "a node at a URL that is none": {
    args: () => [...gateway, "--rpc-url", `base=ftp://node.test/${secret}`],
  },
  "a node of no network": { args: () => [...gateway, "--rpc-url", `https://node.test/${secret}`] },
  "a private key that is none": {
    args: (folder) => [
      ...["pay", `http://${nowhere}/`, "--max-amount", "1"],
      ...["--private-key-file", join(folder, "key")],
    ],
  },
  "credentials that are no YAML": {
    args: (folder) => [...gateway, "--facilitator-headers-file", join(folder, "broken.yaml")],
  },
  "a cluster that is not there": {
    args: (folder) => ["restore", "--all", "--kubeconfig", join(folder, "kubeconfig")],
  },
  "a kubeconfig that is no YAML": {
    args: (folder) => ["restore", "--all", "--kubeconfig", join(folder, "broken.yaml")],
  },
};

for (const [name, { args, env }] of Object.entries(failing)) {
  Deno.test(`secrets stay where they are: ${name}`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "x402-secrets-" });
    try {
      await Deno.writeTextFile(join(folder, "key"), secret);
      await Deno.writeTextFile(join(folder, "broken.yaml"), `a: {b: ${secret}\n - "${secret}`);
      await Deno.writeTextFile(join(folder, "kubeconfig"), JSON.stringify(kubeconfig));
      const options = env === undefined ? {} : { env };
      const { code, stdout, stderr } = await runCommand(args(folder), options);
      assert.notEqual(code, 0);
      assert.ok(`${stdout}${stderr}`.trim() !== "");
      assert.doesNotMatch(`${stdout}${stderr}`, new RegExp(secret));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

const ledger = `postgres://shop:${secret}@${nowhere}/payments`;
const waiting: Record<string, Pick<Failing, "env"> & { readonly flags: readonly string[] }> = {
  "from a flag": { flags: ["--ledger", ledger] },
  "from the environment": { flags: [], env: { X402_LEDGER: ledger } },
};

for (const [name, { flags, env }] of Object.entries(waiting)) {
  Deno.test(`secrets stay where they are: a database that is waited for, ${name}`, async () => {
    await using child = new ChildProcess("gateway", [...sourceCommand, ...gateway, ...flags], {
      ...(env && { env }),
    });
    await child.find((line) => line.includes("it is tried again") || undefined);
    await child.stop();
    assert.doesNotMatch(child.lines.join("\n"), new RegExp(secret));
  });
}
