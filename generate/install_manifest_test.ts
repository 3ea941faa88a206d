import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("generate.ts", import.meta.url));

for (const [variable, expected] of [["", 0], ["CI", 1], ["X402_TEST_REQUIRE_ALL", 1]] as const) {
  const where = variable === "" ? "" : ` and fails with ${variable}=1`;
  Deno.test(`generate leaves out install.yaml where Helm is missing, says so${where}`, async () => {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", program, "--check"],
      env: {
        HELM_BIN: "/nothing",
        CI: "",
        X402_TEST_REQUIRE_ALL: "",
        [variable || "CI"]: variable && "1",
      },
      stdout: "null",
      stderr: "piped",
    }).output();
    const lines = new TextDecoder().decode(stderr).trimEnd().split("\n");
    assert.match(
      lines.at(-1)!,
      /^deploy\/install\.yaml is left out: Helm is not there; get it with/,
    );
    assert.equal(code, expected);
  });
}
