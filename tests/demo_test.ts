/** README's first command, as a new user runs it. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

Deno.test("deno task demo: money moves once, and it ends with exit code 0", async () => {
  const env = { NO_COLOR: "1" };
  const command = new Deno.Command(Deno.execPath(), { args: ["task", "demo"], cwd: root, env });
  const { code, stdout, stderr } = await command.output();
  const story = new TextDecoder().decode(stdout);
  assert.equal(code, 0, story + new TextDecoder().decode(stderr));
  for (
    const line of [
      /402 Payment Required/,
      /200 OK/,
      /settled in\s+0x[0-9a-f]{64}/,
      /buyer's USDC\s+10 -> 9\.999/,
      /seller's USDC\s+0 -> 0\.001/,
      /payment_already_used/,
    ]
  ) assert.match(story, line);
});
