import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { runCommand } from "../tests/support/run_command.ts";

const samples = fileURLToPath(new URL("../deploy/samples", import.meta.url));

/** What a flag is set to, and what the one line says of it. */
const wrong: readonly [flag: string, value: string, line: RegExp][] = [
  ["ledger", "", /--ledger: it is set, but empty/],
  ["ledger", ":memory:", /--ledger: leave it out/],
  ["ledger", "file:payments.db?mode=memory", /--ledger: give the path of the file/],
  ["ledger", "mysql://user:SECRET@127.0.0.1/db", /--ledger: a URL has to begin with postgres:/],
  ["ledger", "postgres://user:SECRET#1@127.0.0.1/db", /--ledger: it is no URL such as postgres:/],
  ["ledger", "postgres://user:SECRET@127.0.0.1/db?sslmode=prefer", /sslmode has to be one of/],
  ["ledger", "host=127.0.0.1 password=SECRET", /--ledger: give a URL/],
  ["rpc-url", "https://node.example/v2/SECRET", /--rpc-url: give NETWORK=URL/],
  ["rpc-url", "bas=https://node.example/v2/SECRET", /networks are eip155:N or .*base/],
  ["rpc-url", "base=ws://node.example/v2/SECRET", /the URL for eip155:8453 has to be an http/],
  ["rpc-url", "base=https://node.example/SECRET,SECRET", /--rpc-url: give NETWORK=URL/],
];

Deno.test("a ledger or node that cannot be: exit code 2, one line, and no secret in it", async (t) => {
  for (const [name, value, line] of wrong) {
    await t.step(`${name} ${value}`, async () => {
      const variable = `X402_${name.toUpperCase().replace("-", "_")}`;
      const gateway = ["gateway", "--manifests", samples, "--listen", "127.0.0.1:0"];
      const byFlag = await runCommand([...gateway, `--${name}`, value]);
      const byVariable = await runCommand(gateway, { env: { [variable]: value } });
      for (const { code, stdout, stderr } of [byFlag, byVariable]) {
        assert.equal(code, 2, stderr);
        assert.equal(stdout, "");
        const lines = stderr.trimEnd().split("\n");
        assert.match(lines[0]!, line);
        assert.equal(lines.length, 1);
        assert.doesNotMatch(stderr, /SECRET/);
      }
    });
  }
});

Deno.test("payments refuses the same names of ledgers", async () => {
  for (const [name, value, line] of wrong.filter(([name]) => name === "ledger")) {
    const { code, stderr } = await runCommand(["payments", "list", `--${name}`, value]);
    assert.equal(code, 2, value);
    assert.match(stderr, line);
    assert.doesNotMatch(stderr, /SECRET/);
  }
});
