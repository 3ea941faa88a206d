import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("get_assets.ts", import.meta.url));

/** Exit code and last line of `deno task cluster:assets promtool` where there is no `go`. */
async function getPromtool(env: Record<string, string>): Promise<[number, string]> {
  const folder = await Deno.makeTempDir();
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", program, "promtool"],
    env: { PATH: folder, XDG_CACHE_HOME: folder, ...env },
  }).output();
  await Deno.remove(folder, { recursive: true });
  return [code, new TextDecoder().decode(stderr).trim().split("\n").at(-1)!];
}

Deno.test("promtool is what its variables name", async () => {
  const env = { PROMTOOL_BIN: "/bin/true", PROMQL_EXPRESSIONS_BIN: "/bin/true" };
  assert.deepEqual(await getPromtool(env), [0, "promtool: /bin/true"]);
});

Deno.test("where promtool is missing and there is no go, it says what to install", async () => {
  const [code, line] = await getPromtool({ PROMTOOL_BIN: "", PROMQL_EXPRESSIONS_BIN: "" });
  assert.equal(code, 1);
  assert.match(line, /^promtool is not there and go, .* install Go .* or set PROMTOOL_BIN and /);
});
