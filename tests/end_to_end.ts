import assert from "node:assert/strict";
import { scenarios, setScene } from "./end_to_end_scenarios.ts";
import { startRig } from "./rig/rig.ts";

/**
 * The whole product with real money on a local chain, step by step.
 * @param command the program before its first argument
 * @param env more variables for it
 */
export async function endToEnd(
  t: Deno.TestContext,
  command: readonly string[],
  env: Record<string, string> = {},
): Promise<void> {
  await using rig = await startRig({ command, env });
  const scene = await setScene(rig);
  for (const [name, scenario] of Object.entries(scenarios)) {
    await t.step(name, () => scenario(scene));
  }
  await t.step("pay: the test client buys once", async () => {
    const url = `${rig.gateway.url}/api/weather`;
    const wallet = ["--dev-account", "1", "--max-amount", "0.01"];
    const { code, output } = await run([...command, "pay", url, ...wallet], env);
    assert.equal(code, 0, output);
    assert.match(output, /Lisbon/);
    assert.match(output, /0x[0-9a-f]{64}/, "the transaction");
  });
  await t.step("a changed price is live, a broken file leaves it in force", async () => {
    await changePrice(rig.manifests, '"0.001"', '"0.002"');
    // What the facilitator supports is a reason to plan as well, at any time.
    for (let n = 2; await price(rig.gateway.url) !== "2000"; n++) {
      await rig.gateway.logged("routes in force", nth(n));
    }
    await changePrice(rig.manifests, '"0.002"', '"0.003');
    const refused = await rig.gateway.logged(
      "manifest refused, the last good routes stay in force",
    );
    assert.match(String(refused.file), /x402route\.yaml$/);
    assert.ok(Number(refused.line) > 0);
    assert.equal(await price(rig.gateway.url), "2000");
  });
  await t.step("without the facilitator paid requests are 503, free ones go on", async () => {
    await rig.facilitator[Symbol.asyncDispose]();
    const { code, output } = await run(
      [
        ...command,
        "pay",
        `${rig.gateway.url}/api/weather`,
        "--dev-account",
        "1",
        "--max-amount",
        "1",
      ],
      env,
    );
    assert.equal(code, 1);
    assert.match(output, /503/);
    const free = await fetch(`${rig.gateway.url}/health`);
    await free.body?.cancel();
    assert.equal(free.status, 200);
  });
  await t.step("SIGTERM ends with exit code 0", async () => {
    assert.equal(await rig.gateway.stop(), 0);
  });
}

function nth(n: number): () => boolean {
  let seen = 0;
  return () => ++seen >= n;
}

/** Runs a command to its end; `output` is all that it prints, errors last. */
export async function run([program, ...args]: readonly string[], env: Record<string, string>) {
  const command = new Deno.Command(program!, { args, env, stdin: "null" });
  const { code, stdout, stderr } = await command.output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, output: decode(stdout) + decode(stderr) };
}

async function changePrice(folder: string, from: string, to: string): Promise<void> {
  const file = `${folder}/x402route.yaml`;
  await Deno.writeTextFile(file, (await Deno.readTextFile(file)).replace(from, to));
}

async function price(url: string): Promise<string> {
  const response = await fetch(`${url}/api/weather`);
  await response.body?.cancel();
  return JSON.parse(atob(response.headers.get("payment-required")!)).accepts[0].amount;
}
