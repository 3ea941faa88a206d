/** Programs that Go builds, once, into our cache. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { cacheRoot } from "./cache_root.ts";

/**
 * A folder in our cache for what is built from `module`: one per content of go.mod and go.sum, so
 * that a changed pin is a new build.
 *
 * @param module the folder with both files
 * @param version for people who look at the cache
 */
export function cachedBuild(name: string, version: string, module: URL): string {
  const hash = createHash("sha256");
  for (const file of ["go.mod", "go.sum"]) hash.update(Deno.readFileSync(new URL(file, module)));
  const { os, arch } = Deno.build;
  return join(cacheRoot(), name, [version, os, arch, hash.digest("hex").slice(0, 12)].join("-"));
}

/**
 * What `find` returns; where that is nothing, `make` fills a folder, which then is `folder`. Of
 * processes that do this at the same time one makes it and the others wait.
 */
export async function madeOnce(
  folder: string,
  find: () => Promise<string | undefined>,
  make: (unfinished: string) => Promise<void>,
): Promise<string> {
  await Deno.mkdir(join(folder, ".."), { recursive: true });
  using lock = await Deno.open(`${folder}.lock`, { create: true, write: true });
  await lock.lock(true);
  const found = await find();
  if (found !== undefined) return found;
  const unfinished = await Deno.makeTempDir({ dir: join(folder, ".."), prefix: ".unfinished-" });
  try {
    await make(unfinished);
    await Deno.remove(folder, { recursive: true }).catch(ignoreMissing);
    // The folder appears at once and complete: tests look for it without the lock.
    await Deno.rename(unfinished, folder);
    return folder;
  } finally {
    await Deno.remove(unfinished, { recursive: true }).catch(ignoreMissing);
  }
}

export interface GoBuild {
  /** Where go.mod and go.sum are. */
  readonly module: URL;
  /** Path of the main package. */
  readonly package: string;
  readonly linkerFlags: string;
  readonly tags?: string;
  /** Path of the program. */
  readonly output: string;
}

/**
 * Whether it succeeded; Go's own messages are on standard error.
 * @throws {Deno.errors.NotFound} when `go` is not on the PATH
 */
export async function goBuild(build: GoBuild): Promise<boolean> {
  const flags = ["-buildvcs=false", "-trimpath", "-ldflags", build.linkerFlags];
  if (build.tags !== undefined) flags.push("-tags", build.tags);
  const command = new Deno.Command("go", {
    args: ["build", ...flags, "-o", build.output, build.package],
    cwd: build.module,
    env: { CGO_ENABLED: "0", GOFLAGS: "-mod=readonly", GOWORK: "off" },
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  });
  return (await command.output()).success;
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
