/**
 * `deno task generate`: writes the generated files that are missing or differ. With `--check` it
 * writes nothing and ends with exit code 1 when there are any.
 */
import { type GeneratedFile, generatedFiles, staleFiles } from "./generated_files.ts";
import { installManifest, missingHelm } from "./install_manifest.ts";

const root = new URL("../", import.meta.url);

function say(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}

const [flag, ...rest] = Deno.args;
if (rest.length > 0 || (flag !== undefined && flag !== "--check")) {
  say(`generate does not know "${Deno.args.join(" ")}"; it takes --check or nothing`);
  Deno.exit(2);
}

function bringUpToDate(files: readonly GeneratedFile[]): boolean {
  const stale = staleFiles(files, root);
  for (const { path, content } of stale) {
    if (flag === "--check") {
      say(`${path} is not up to date; run: deno task generate`);
    } else {
      Deno.mkdirSync(new URL(".", new URL(path, root)), { recursive: true });
      Deno.writeTextFileSync(new URL(path, root), content);
      say(`wrote ${path}`);
    }
  }
  return flag !== "--check" || stale.length === 0;
}

let isRight = bringUpToDate(generatedFiles());
// After the files of the chart, which it is made of.
const install = await installManifest();
if (install !== undefined) isRight = bringUpToDate([install]) && isRight;
else say(missingHelm);
const isNeeded = Boolean(Deno.env.get("CI")) || Deno.env.get("X402_TEST_REQUIRE_ALL") === "1";
if (!isRight || (install === undefined && isNeeded)) Deno.exit(1);
