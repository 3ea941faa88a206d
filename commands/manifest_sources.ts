import type { Command } from "commander";
import type { ManifestInput } from "../controller/mod.ts";
import { UsageError } from "./usage_error.ts";

/** Flags that say which manifests are meant. */
export interface SourceFlags {
  readonly filename: readonly string[];
  readonly kustomize: readonly string[];
  readonly namespace?: string;
}

export function addSourceFlags(command: Command): Command {
  return command
    .option("-f, --filename <path...>", "file, folder, or - for standard input", [])
    .option("-k, --kustomize <dir...>", "folder with a kustomization", [])
    .option("-n, --namespace <name>", "of objects that name none (default: default)");
}

/**
 * What the flags name: paths as they are, the rest read.
 *
 * @throws {UsageError} for a path that does not exist
 * @throws {Error} in one sentence for the user, when it cannot be had
 */
export async function manifestSources(
  { filename, kustomize }: SourceFlags,
): Promise<(string | ManifestInput)[]> {
  return [
    ...await Promise.all(filename.map(named)),
    ...await Promise.all(kustomize.map(kustomized)),
  ];
}

async function named(path: string): Promise<string | ManifestInput> {
  if (path === "-") {
    return { name: "(standard input)", bytes: await new Response(Deno.stdin.readable).bytes() };
  }
  try {
    await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new UsageError(`${path} does not exist`);
    // Whatever else is wrong with it is told with the problems of the other files.
  }
  return path;
}

/** What kustomize makes of a folder. */
async function kustomized(dir: string): Promise<ManifestInput> {
  for (const [program, ...args] of [["kubectl", "kustomize"], ["kustomize", "build"]] as const) {
    try {
      const command = new Deno.Command(program, { args: [...args, dir], stdin: "null" });
      const { success, stdout, stderr } = await command.output();
      const name = [program, ...args, dir].join(" ");
      if (success) return { name: `(${name})`, bytes: stdout };
      throw new Error(`${name} failed: ${new TextDecoder().decode(stderr).trim()}`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      if (!(error instanceof Deno.errors.NotCapable)) throw error;
      throw new Error(
        `-k ${dir} starts kubectl or kustomize, which this executable may not do: take ` +
          "x402-k8s-operator-cli.",
      );
    }
  }
  throw new Error(
    `neither kubectl nor kustomize can be started for -k ${dir}; build it elsewhere and pass the ` +
      `result: kubectl kustomize ${dir} | x402-k8s-operator plan -f -`,
  );
}
