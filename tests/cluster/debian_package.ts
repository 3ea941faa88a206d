/** Programs of Debian packages, unpacked into our cache, not installed. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheRoot } from "./cache_root.ts";

const script = fileURLToPath(new URL("unpack_package.sh", import.meta.url));

export interface DebianPackage {
  readonly name: string;
  /** Paths in the package, without the first slash; patterns of the shell. */
  readonly programs: readonly string[];
  /** Whether the programs in this folder run here. */
  readonly runs: (folder: string) => Promise<boolean>;
}

/** The folder in our cache with the programs of a package, once they have been unpacked. */
export function cachedPrograms(packageName: string): string {
  return join(cachedPackage(packageName), "run");
}

/**
 * Unpacks the package into our cache; where its programs do not run alone, with its libraries.
 * @throws {Error} saying in a few words why that is not possible
 */
export async function unpackPackage({ name, programs, runs }: DebianPackage): Promise<void> {
  const target = cachedPackage(name);
  await Deno.mkdir(join(target, ".."), { recursive: true });
  for (const libraries of ["without", "with"]) {
    const unfinished = await Deno.makeTempDir({ dir: join(target, ".."), prefix: ".unfinished-" });
    try {
      await unpack([unfinished, libraries, name, ...programs]);
      if (!await runs(join(unfinished, "run"))) continue;
      await Deno.remove(target, { recursive: true }).catch(ignoreMissing);
      // The folder appears at once and complete: tests look for it without a lock.
      return await Deno.rename(unfinished, target);
    } finally {
      await Deno.remove(unfinished, { recursive: true }).catch(ignoreMissing);
    }
  }
  throw new Error("that of its package does not run here");
}

/** Whether `program` is there with all its shared libraries; `flag` makes it print its version. */
export async function startsHere(program: string, flag: string): Promise<boolean> {
  try {
    const command = new Deno.Command(program, { args: [flag], stdout: "null", stderr: "null" });
    return (await command.output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function unpack(args: readonly string[]): Promise<void> {
  const command = new Deno.Command("sh", { args: [script, ...args], stdin: "null" });
  const { success, stderr } = await command.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim().split("\n").at(-1)!);
}

function cachedPackage(name: string): string {
  return join(cacheRoot(), "debian", name);
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
