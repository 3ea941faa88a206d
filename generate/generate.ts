/**
 * `deno task generate`: writes the generated files that are missing or differ. With `--check` it
 * writes nothing and ends with exit code 1 when there are any.
 */
import { generatedFiles, staleFiles } from "./generated_files.ts";

const root = new URL("../", import.meta.url);

function say(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}

const [flag, ...rest] = Deno.args;
if (rest.length > 0 || (flag !== undefined && flag !== "--check")) {
  say(`generate does not know "${Deno.args.join(" ")}"; it takes --check or nothing`);
  Deno.exit(2);
}

const stale = staleFiles(generatedFiles(), root);
for (const { path, content } of stale) {
  if (flag === "--check") {
    say(`${path} is not up to date; run: deno task generate`);
  } else {
    Deno.mkdirSync(new URL(".", new URL(path, root)), { recursive: true });
    Deno.writeTextFileSync(new URL(path, root), content);
    say(`wrote ${path}`);
  }
}
if (flag === "--check" && stale.length > 0) Deno.exit(1);
