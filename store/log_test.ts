import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const module = fileURLToPath(new URL("log.ts", import.meta.url));

/** What a program that logs prints. */
async function printed(body: string): Promise<string[]> {
  const program = `import { Logger } from ${JSON.stringify(module)};
    const log = new Logger("info");
    ${body}`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", program],
    env: { NO_COLOR: "1" },
  }).output();
  const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line).msg);
}

Deno.test("every line is printed, in order, also the last words before the end", async () => {
  const lines = await printed(`
    log.info("1");
    log.error("2");
    setTimeout(() => {
      log.info("3");
      log.warn("4");
      Deno.exit(3);
    }, 10);`);
  assert.deepEqual(lines, ["1", "2", "3", "4"]);
});

Deno.test("what was said before a fault that ends the process is printed", async () => {
  assert.deepEqual(await printed(`log.info("1"); queueMicrotask(() => { throw new Error(); });`), [
    "1",
  ]);
});
