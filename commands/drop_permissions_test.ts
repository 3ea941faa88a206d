/** What a server may still do once it serves, also if it was started with everything. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { withLedgerFile } from "../tests/support/ledger_file.ts";
import { startGateway } from "../tests/rig/gateway_process.ts";

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const command = [
  ...[Deno.execPath(), "run", "-A", "--preload", path("../tests/support/tell_permissions.ts")],
  path("../main.ts"),
];

Deno.test("a gateway that was started with -A may neither write nor start programs", async () => {
  await withLedgerFile(async (ledger) => {
    const flags = ["--allow-facilitator-host", "localhost", "--ledger", ledger];
    const manifests = path("../deploy/samples");
    await using gateway = await startGateway({ command, manifests, flags });
    Deno.kill(gateway.pid, "SIGUSR2");
    const { level: _, msg: __, ...left } = await gateway.logged("permissions");
    assert.deepEqual(left, {
      net: "granted",
      read: "granted",
      env: "granted",
      run: "prompt",
      write: "prompt",
      ffi: "prompt",
      sys: "prompt",
    });
    assert.equal(await gateway.stop(), 0);
  });
});
