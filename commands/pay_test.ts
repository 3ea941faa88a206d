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
    [[url, "--method", "get"], "Give an HTTP method in capital letters, such as POST."],
    [[url, "--header", "none"], 'Give a header line, such as "Accept: application/json".'],
    [[url, "--header", "a b: c"], 'Give a header line, such as "Accept: application/json".'],
    [[url, "--protocol", "3"], "Allowed choices are auto, 1, 2."],
    [
      [url, "--dev-account", "1", "--private-key-file", "key"],
      "option '--private-key-file <file>' cannot be used with option '--dev-account <n>'",
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

/** Runs the command in a process of its own, without a terminal. */
async function runInProcess(args: readonly string[]) {
  const script = `import { payCommand } from ${JSON.stringify(import.meta.resolve("./pay.ts"))};
    await payCommand().parseAsync(Deno.args, { from: "user" });`;
  const root = new URL("..", import.meta.url);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", script, ...args],
    cwd: root,
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}
