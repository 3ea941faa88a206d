import assert from "node:assert/strict";
import { shellCommands } from "./shell.ts";

Deno.test("shell blocks are read as a shell reads them", () => {
  const words = (text: string) => shellCommands(text).map(({ words }) => words);
  assert.deepEqual(words("a --b  c # d\n# e\n\nf \\\n  --g h\n"), [["a", "--b", "c"], [
    "f",
    "--g",
    "h",
  ]]);
  assert.deepEqual(words(`a 'b # c' "d e"f | g > h.txt && i < j; k 2>l`), [
    ["a", "b # c", "d ef"],
    ["g"],
    ["i"],
    ["k"],
  ]);
  assert.deepEqual(shellCommands("export A=b\nC=d e"), [
    { variables: [], words: ["export", "A=b"] },
    { variables: ["C=d"], words: ["e"] },
  ]);
  assert.throws(() => shellCommands("a 'b"), /cannot be read: 'b/);
});
