/**
 * `deno task bundle`: the program as JavaScript without dependencies, in `dist/bundle`. What only
 * some commands need (viem, the Kubernetes client, PostgreSQL) is in files of their own, so that it
 * costs neither memory nor time where it is not used.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { commit as placeholder } from "../version.ts";
import { run } from "./run.ts";

export const root = fileURLToPath(new URL("..", import.meta.url));
export const bundleFolder = join(root, "dist", "bundle");

/**
 * @returns the file to run
 * @throws {Error} when it cannot be built
 */
export async function bundle(): Promise<string> {
  await Deno.remove(bundleFolder, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  const flags = ["--quiet", "--minify", "--code-splitting", "--outdir", bundleFolder];
  await run(Deno.execPath(), ["bundle", ...flags, join(root, "main.ts")], { cwd: root });
  await stamp(await currentCommit());
  return join(bundleFolder, "main.js");
}

/** Writes the commit where `version.ts` has its placeholder. */
async function stamp(commit: string | undefined): Promise<void> {
  if (commit === undefined) return;
  if (!/^[\w.-]+$/.test(commit)) throw new Error(`The commit ${commit} is none.`);
  let found = 0;
  for await (const { name } of Deno.readDir(bundleFolder)) {
    const file = join(bundleFolder, name);
    const text = await Deno.readTextFile(file);
    if (!text.includes(placeholder)) continue;
    await Deno.writeTextFile(file, text.replaceAll(placeholder, `commit ${commit}`));
    found++;
  }
  if (found === 0) throw new Error("The bundle has no place for the commit; see version.ts.");
}

/** `X402_COMMIT` where there is no repository, as in the build of an image. */
async function currentCommit(): Promise<string | undefined> {
  const given = Deno.env.get("X402_COMMIT");
  if (given) return given;
  try {
    const commit = await run("git", ["rev-parse", "--short=12", "HEAD"], { cwd: root });
    const changes = await run("git", ["status", "--porcelain"], { cwd: root });
    return changes === "" ? commit : `${commit}-dirty`;
  } catch {
    return undefined;
  }
}

if (import.meta.main) await bundle();
