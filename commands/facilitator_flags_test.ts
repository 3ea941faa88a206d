/** Credentials that cannot be used: one line with the file and the place, exit code 2, no secret. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { runCommand } from "../tests/support/run_command.ts";

const samples = fileURLToPath(new URL("../deploy/samples", import.meta.url));

const cases: [name: string, flags: (folder: string) => string[], says: RegExp][] = [
  [
    "a headers file that is not there",
    (folder) => ["--facilitator-headers-file", `${folder}/none.yaml`],
    /none\.yaml cannot be read \(NotFound\)/,
  ],
  [
    "a headers file that is wrong",
    (folder) => ["--facilitator-headers-file", `${folder}/headers.yaml`],
    /headers\.yaml:2: host is set by the gateway/,
  ],
  [
    "half a key",
    (folder) => ["--cdp-api-key-id-file", `${folder}/id`],
    /--cdp-api-key-id-file and --cdp-api-key-secret-file need each other/,
  ],
  [
    "a key that is none",
    (
      folder,
    ) => ["--cdp-api-key-id-file", `${folder}/id`, "--cdp-api-key-secret-file", `${folder}/id`],
    /id: write the 64 bytes of an Ed25519 key/,
  ],
  [
    "a facilitator without a key",
    () => ["--cdp-facilitator", "https://pay.example.com"],
    /--cdp-facilitator needs --cdp-api-key-id-file/,
  ],
  ["no URL", () => ["--cdp-facilitator", "pay.example.com"], /Give URLs, such as https:/],
  ["no place", () => ["--facilitator-max-in-flight", "0"], /Give a whole number, 1 or more/],
];

for (const [name, flags, says] of cases) {
  Deno.test(`gateway: ${name}: exit code 2`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(
        `${folder}/headers.yaml`,
        "https://pay.example.com:\n  Host: s3cr3t\n",
      );
      await Deno.writeTextFile(`${folder}/id`, "s3cr3t");
      const { code, stdout, stderr } = await runCommand([
        ...["gateway", "--manifests", samples, "--listen", "127.0.0.1:0"],
        ...flags(folder),
      ]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, says);
      assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
      assert.doesNotMatch(stdout + stderr, /s3cr3t/);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
