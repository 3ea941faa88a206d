/** What a user who mistypes sees: one line that says what is wrong and what is right, exit code 2. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const samples = fileURLToPath(new URL("../deploy/samples", import.meta.url));

async function run(args: readonly string[], env: Record<string, string> = {}) {
  const command = new Deno.Command(Deno.execPath(), { args: ["run", "-A", main, ...args], env });
  const { code, stdout, stderr } = await command.output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

const wrong: [args: string[], says: RegExp][] = [
  [["gatewy"], /unknown command 'gatewy' \(Did you mean gateway\?\)/],
  [["gateway"], /required option '--manifests <dir>' not specified/],
  [["gateway", "--manifests", "/does/not/exist"], /Give a folder that exists/],
  [["gateway", "--manifests", samples, "--listen", "here"], /Give HOST:PORT, such as 127/],
  [["gateway", "--manifests", samples, "--listen", ":99999"], /Give HOST:PORT/],
  [["gateway", "--manifests", samples, "--drain-timeout", "30"], /Give a number with a unit/],
  [["gateway", "--manifests", samples, "--shutdown-delay", "0"], /Give a number with a unit/],
  [["gateway", "--manifests", samples, "--settle-timeout", "600h"], /from 1ms to 24h/],
  [["gateway", "--manifests", samples, "--verify-timeout", "0s"], /from 1ms to 24h/],
  [["gateway", "--manifests", samples, "--cors", "example.com"], /Give origins, such as https/],
  [
    ["gateway", "--manifests", samples, "--allow-facilitator-host", "http://localhost"],
    /Give HOST or HOST:PORT without a scheme/,
  ],
  [["gateway", "--manifests", samples, "--cluster-domain", "a b"], /Give a domain in lower case/],
  [["gateway", "--manifests", samples, "--access-log", "maybe"], /Give true or false/],
  [["gateway", "--manifests", main], /Give a folder that exists/],
  [["gateway", "--manifests", samples, "--max-body-bytes", "big"], /Give a number of bytes/],
  [["gateway", "--manifests", samples, "--trusted-proxies", "10.0.0.0/99"], /IP address or a CIDR/],
  [["gateway", "--manifests", samples, "--log-level", "loud"], /Allowed choices are debug, info/],
  [["gateway", "--manifests", samples, "--cor", "*"], /Did you mean --cors\?/],
  [["pay", "ftp://example.com", "--dev-account", "1"], /Give an absolute URL/],
  [["pay", "http://localhost/", "--dev-account", "12"], /Give the number of an account/],
  [["facilitator-stub", "--listen", "x"], /Give HOST:PORT/],
];

Deno.test("wrong usage: one line, exit code 2", async (t) => {
  for (const [args, says] of wrong) {
    await t.step(args.join(" ").replace(samples, "DIR"), async () => {
      const { code, stdout, stderr } = await run(args);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, says);
      assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
    });
  }
});

Deno.test("a wrong environment variable is told like a wrong flag", async () => {
  const env = { X402_DRAIN_TIMEOUT: "soon" };
  const { code, stderr } = await run(["gateway", "--manifests", samples], env);
  assert.equal(code, 2);
  assert.match(stderr, /X402_DRAIN_TIMEOUT.*Give a number with a unit/);
});

Deno.test("an address that cannot be listened on ends with one line and exit code 1", async () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const listen = `127.0.0.1:${taken.addr.port}`;
  const { code, stdout, stderr } = await run([
    "gateway",
    "--manifests",
    samples,
    "--listen",
    listen,
  ]);
  taken.close();
  assert.equal(code, 1);
  const [line, ...more] = (stdout + stderr).trimEnd().split("\n");
  assert.match(line!, new RegExp(`gateway cannot listen on ${listen}: .*in use`));
  assert.deepEqual(more, []);
});

Deno.test("--help works on every command and names every environment variable", async () => {
  for (const command of [[], ["gateway"], ["pay"], ["facilitator-stub"]]) {
    const { code, stdout } = await run([...command, "--help"]);
    assert.equal(code, 0);
    assert.match(stdout, /Usage: x402-k8s-operator/);
  }
});
