import assert from "node:assert/strict";
import { CommanderError } from "commander";
import { payCommand } from "./pay.ts";

/** What commander prints for these arguments, which must be refused before anything runs. */
async function refusal(args: readonly string[]): Promise<string> {
  let output = "";
  const command = payCommand().exitOverride()
    .configureOutput({ writeErr: (text) => output += text });
  await assert.rejects(command.parseAsync(args, { from: "user" }), CommanderError);
  return output;
}

Deno.test("pay names the wrong flag and what is right, in one line", async () => {
  const url = "http://localhost/";
  const cases = [
    [[], "missing required argument 'url'"],
    [["ftp://localhost/"], "Give an absolute URL: http://localhost:8402/api/weather."],
    [[url, "--dev-account", "10"], "Give the number of an account, 0 to 9."],
    [[url, "--max-amount", "1e3"], "Give a decimal number of tokens, such as 0.01."],
    [
      [url, "--method", "get"],
      "Give an HTTP method in capital letters, such as POST, but not CONNECT, TRACE or TRACK.",
    ],
    [[url, "--method", "TRACE"], "but not CONNECT, TRACE or TRACK."],
    [[url, "--method", "CONNECT"], "but not CONNECT, TRACE or TRACK."],
    [[url, "--header", "none"], 'Give a header line, such as "Accept: application/json".'],
    [[url, "--header", "a b: c"], 'Give a header line, such as "Accept: application/json".'],
    [[url, "--protocol", "3"], "Allowed choices are auto, 1, 2."],
    [
      [url, "--dev-account", "1", "--private-key-file", "key"],
      "two wallets are given; use --private-key-file or --dev-account",
    ],
  ] as const;
  for (const [args, message] of cases) {
    const output = await refusal(args);
    assert.ok(output.includes(message), output);
    assert.equal(output.trimEnd().split("\n").length, 1, output);
  }
});

Deno.test("pay writes the body to standard output and all else to standard error", async () => {
  const offer = { x402Version: 2, resource: { url: "", description: "" }, accepts: [] };
  const header = { "payment-required": btoa(JSON.stringify(offer)) };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) =>
      request.url.endsWith("/free")
        ? new Response("goods")
        : new Response("pay first", { status: 402, headers: header }),
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  const wallet = ["--dev-account", "3", "--max-amount", "1"];
  assert.deepEqual(await runInProcess([`${url}/free`, ...wallet]), {
    code: 0,
    stdout: "goods",
    stderr: "No payment is asked for.\nStatus: 200 OK\n",
  });
  assert.deepEqual(await runInProcess([`${url}/paid`, ...wallet]), {
    code: 1,
    stdout: "",
    stderr: "error: Nothing was signed: the 402 offers nothing.\n",
  });
  await server.shutdown();
});

Deno.test("a wallet given by flag goes before one in the environment", async () => {
  const terms = {
    ...{ scheme: "exact", network: "eip155:84532", amount: "1", maxTimeoutSeconds: 60 },
    asset: "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
    payTo: "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
    extra: { name: "USDC", version: "2" },
  };
  const offer = { x402Version: 2, resource: { url: "" }, accepts: [terms] };
  const headers = { "payment-required": btoa(JSON.stringify(offer)) };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response(null, { status: 402, headers }),
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, `${"0".repeat(63)}1`);
  const keyOne = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf";
  const devAccount3 = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
  const environment = { X402_PAY_DEV_ACCOUNT: "3" };
  const cases = [
    [["--private-key-file", file], environment, `Paying as ${keyOne}\n`],
    [["--dev-account", "3"], { X402_PAY_PRIVATE_KEY_FILE: file }, `Paying as ${devAccount3}\n`],
    [[], environment, `Paying as ${devAccount3}\n`],
    [[], { ...environment, X402_PAY_PRIVATE_KEY_FILE: file }, "error: two wallets are given"],
  ] as const;
  for (const [wallet, env, expected] of cases) {
    const { stderr } = await runInProcess([url, "--max-amount", "1", ...wallet], env);
    assert.ok(stderr.includes(expected), stderr);
  }
  await Deno.remove(file);
  await server.shutdown();
});

/** Runs the command in a process of its own, without a terminal. */
async function runInProcess(args: readonly string[], env: Record<string, string> = {}) {
  const script = `import { payCommand } from ${JSON.stringify(import.meta.resolve("./pay.ts"))};
    await payCommand().parseAsync(Deno.args, { from: "user" });`;
  const root = new URL("..", import.meta.url);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", script, ...args],
    cwd: root,
    env,
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}
