import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { generatedFiles, staleFiles } from "./generated_files.ts";

Deno.test("the committed generated files are up to date (else run: deno task generate)", () => {
  const stale = staleFiles(generatedFiles(), new URL("../", import.meta.url));
  assert.deepEqual(stale.map(({ path }) => path), []);
});

Deno.test("staleFiles finds files that differ or are missing", async () => {
  const folder = await mkdtemp(join(tmpdir(), "generated-"));
  try {
    for (const name of ["same", "edited"]) await Deno.writeTextFile(join(folder, name), "text\n");
    const files = [
      { path: "same", content: "text\n" },
      { path: "edited", content: "text\n\n" },
      { path: "missing/file", content: "" },
    ];
    const stale = staleFiles(files, pathToFileURL(`${folder}/`));
    assert.deepEqual(stale.map(({ path }) => path), ["edited", "missing/file"]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

Deno.test("generate refuses unknown arguments with exit code 2 and one line", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("generate.ts", import.meta.url).pathname, "--chek"],
    stdout: "null",
    stderr: "piped",
  }).output();
  assert.equal(code, 2);
  assert.equal(
    new TextDecoder().decode(stderr),
    'generate does not know "--chek"; it takes --check or nothing\n',
  );
});
